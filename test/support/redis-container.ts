import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers';
import { freePort } from './free-port.ts';
import type { RedisOptions, RunningRedis } from './running-redis.ts';

/** The chart's Redis and the tests' are the same image. Where it cannot be pulled, `test/cluster/images.ts` makes it. */
export const REDIS_IMAGE = 'docker.io/library/redis:7.0.15-bookworm';

const REDIS_PORT = 6379;

/** Starts Redis in a container on a fixed port of the host, so that a restart keeps the address. */
export async function startContainerRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  // The sweeper is an image of its own, which not every machine can pull; the label below finds what a crash left.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const port = await freePort();
  const container = await new GenericContainer(REDIS_IMAGE)
    .withCommand(commandOf(options))
    .withExposedPorts({ container: REDIS_PORT, host: port })
    .withLabels({ 'arpeggio.dev/test': 'redis' })
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
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
  const command = ['redis-server', '--save', ''];
  if (options.appendOnly === true) command.push('--appendonly', 'yes', '--appendfsync', 'always');
  if (options.password !== undefined) command.push('--requirepass', options.password);
  return command;
}

/** After a restart the log still holds the first start's words, so the server itself is asked. */
async function answering(container: StartedTestContainer, options: RedisOptions): Promise<void> {
  const password = options.password === undefined ? [] : ['-a', options.password, '--no-auth-warning'];
  const until = Date.now() + 30_000;
  while (Date.now() < until) {
    const { output } = await container.exec(['redis-cli', ...password, 'ping']).catch(() => ({ output: '' }));
    if (output.includes('PONG')) return;
  }
  throw new Error('redis in its container did not answer PING within 30000 ms of a restart');
}
