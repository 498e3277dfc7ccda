import { createReadStream } from 'node:fs';
import {
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  Wait,
  type StartedTestContainer,
} from 'testcontainers';
import { archiveOf } from '../cluster/image-archive.ts';
import { provideRedis } from '../cluster/local-images.ts';
import { freePort } from './free-port.ts';
import { REDIS_IMAGE } from './redis-image.ts';
import { FOR_TESTS, type RedisOptions, type RunningRedis } from './running-redis.ts';

const REDIS_PORT = 6379;
const READY_WITHIN_MS = 120_000;
const TEST_LABEL = 'arpeggio.dev/test';
/** The process that started a container, on this machine. */
const PID_LABEL = 'arpeggio.dev/pid';

/** Starts Redis in a container on a fixed port of the host, so that a restart keeps the address. */
export async function startContainerRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  // The sweeper is an image of its own, which not every machine can pull; our labels find what a crash left.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  await removeOrphans();
  await provideRedisImage();
  const port = await freePort();
  const container = await new GenericContainer(REDIS_IMAGE)
    .withCommand(commandOf(options))
    .withExposedPorts({ container: REDIS_PORT, host: port })
    .withLabels({ [TEST_LABEL]: 'redis', [PID_LABEL]: String(process.pid) })
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(READY_WITHIN_MS)
    .start();
  const handle = (await getContainerRuntimeClient()).container.getById(container.getId());
  const host = container.getHost();
  const credentials = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  let stopped = false;

  async function kill(): Promise<void> {
    await handle.kill({ signal: 'SIGKILL' });
  }
  async function restart(): Promise<void> {
    const { State: state } = await handle.inspect();
    if (state.Running) await handle.kill({ signal: 'SIGKILL' });
    await handle.start();
    await answering(container, options);
  }
  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    await container.stop({ remove: true, removeVolumes: true, timeout: 0 });
  }
  return { host, port, url: `redis://${credentials}${host}:${port}/0`, kind: 'container', kill, restart, stop };
}

function commandOf(options: RedisOptions): string[] {
  // It is called from outside its container, and the port is open on this machine alone.
  const command = ['redis-server', '--protected-mode', 'no', ...FOR_TESTS];
  if (options.appendOnly === true) command.push('--appendonly', 'yes', '--appendfsync', 'always');
  if (options.password !== undefined) command.push('--requirepass', options.password);
  return command;
}

/** After a restart the log still holds the first start's words, so the server itself is asked. */
async function answering(container: StartedTestContainer, options: RedisOptions): Promise<void> {
  const password = options.password === undefined ? [] : ['-a', options.password, '--no-auth-warning'];
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until) {
    const { output } = await container.exec(['redis-cli', ...password, 'ping']).catch(() => ({ output: '' }));
    if (output.includes('PONG')) return;
  }
  throw new Error(`redis in its container did not answer PING within ${READY_WITHIN_MS} ms of a restart`);
}

/** Redis's image is in the engine already, or pulled by it, or made here and loaded into it. */
export async function provideRedisImage(): Promise<void> {
  const client = await getContainerRuntimeClient();
  const name = ImageName.fromString(REDIS_IMAGE);
  if (await client.image.exists(name)) return;
  try {
    await client.image.pull(name);
  } catch {
    await provideRedis();
    const loading = await client.container.dockerode.loadImage(createReadStream(await archiveOf(REDIS_IMAGE)));
    for await (const _chunk of loading) {
      // The image is there when the engine has said all.
    }
  }
}

/** Removes the containers of tests whose process is gone: nobody else will. */
async function removeOrphans(): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  const found = await container.dockerode.listContainers({ all: true, filters: { label: [`${TEST_LABEL}=redis`] } });
  const orphans = found.filter(({ Labels: labels }) => !isAlive(Number(labels[PID_LABEL])));
  await Promise.all(
    orphans.map(({ Id: id }) =>
      container
        .getById(id)
        .remove({ force: true, v: true })
        .catch(() => undefined),
    ),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
