import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { FOR_TESTS, type RedisOptions, type RunningRedis } from './running-redis.ts';

const READY_WITHIN_MS = 120_000;

/** Starts the machine's `redis-server` on the loopback address, with a folder of its own. */
export async function startLocalRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'arpeggio-redis-'));
  let child = await launch(port, folder, options);
  const credentials = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;

  async function kill(): Promise<void> {
    await end(child);
  }
  async function restart(): Promise<void> {
    await end(child);
    child = await launch(port, folder, options);
  }
  async function stop(): Promise<void> {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  }
  return {
    host: '127.0.0.1',
    port,
    url: `redis://${credentials}127.0.0.1:${port}/0`,
    kind: 'process',
    kill,
    restart,
    stop,
  };
}

async function launch(port: number, folder: string, options: RedisOptions): Promise<ChildProcess> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no', ...FOR_TESTS];
  if (options.appendOnly === true) settings.push('--appendonly', 'yes', '--appendfsync', 'always');
  if (options.password !== undefined) settings.push('--requirepass', options.password);
  const child = spawnBound('redis-server', settings);
  const output: string[] = [];
  try {
    await ready(child, output);
  } catch (error) {
    await end(child);
    throw error;
  }
  return child;
}

/** The kernel ends the child when its parent dies, however it dies; where that cannot be had, an exit handler does. */
function spawnBound(command: string, args: readonly string[]): ChildProcess {
  const bound = existsSync('/usr/bin/setpriv');
  const child = bound
    ? spawn('/usr/bin/setpriv', ['--pdeathsig', 'KILL', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    : spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  child.once('exit', () => process.removeListener('exit', onExit));
  return child;
}

function ready(child: ChildProcess, output: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`did not say it was ready within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    function fail(what: string): void {
      clearTimeout(timer);
      reject(
        new Error(
          `redis-server ${what}; is it installed (Debian: apt-get install redis-server)? It said: ${output.join('').slice(-800)}`,
        ),
      );
    }
    const read = (chunk: Buffer): void => {
      output.push(chunk.toString());
      if (!output.join('').includes('Ready to accept connections')) return;
      clearTimeout(timer);
      child.stdout?.off('data', read).resume();
      child.removeAllListeners('error');
      resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code) => fail(`ended with code ${String(code)}`));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
