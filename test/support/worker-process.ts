import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface WorkerOptions {
  readonly url: string;
  readonly tasks: string;
  readonly queues?: string;
  readonly concurrency?: number;
  readonly podUid?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A worker as a process of its own, from the sources. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Everything that it has logged. */
  readonly output: () => string;
  /** Sends a signal and resolves with the exit code, null after SIGKILL. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

const main = new URL('../../worker-image/main.ts', import.meta.url).pathname;

/** Starts a worker and resolves when it is connected. */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const { url, tasks, queues = 'celery', concurrency = 2, podUid = 'pod-1', env = {} } = options;
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      ARPEGGIO_BROKER_URL: url,
      ARPEGGIO_RESULTS_URL: url.replace(/\/0$/, '/1'),
      ARPEGGIO_TASKS: tasks,
      ARPEGGIO_QUEUES: queues,
      ARPEGGIO_CONCURRENCY: String(concurrency),
      ARPEGGIO_POD_UID: podUid,
      ARPEGGIO_HEALTH_PORT: '0',
      ARPEGGIO_DRAIN_SECONDS: '30',
      ...env,
    },
  });
  const said: string[] = [];
  const connected = Promise.withResolvers<undefined>();
  const hear = (chunk: Buffer): void => {
    said.push(chunk.toString());
    if (said.join('').includes('the worker is connected')) connected.resolve(undefined);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.once('exit', (code) => connected.reject(new Error(`the worker ended with ${String(code)}: ${said.join('')}`)));
  const output = (): string => said.join('');
  await connected.promise;
  async function stop(signal: NodeJS.Signals): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const [code] = await gone;
    return code;
  }
  return { child, output, stop };
}
