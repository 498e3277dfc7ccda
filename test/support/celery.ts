import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { startBoundProcess, type BoundProcess } from './bound-process.ts';
import { pythonWith } from './python-venv.ts';

const READY_WITHIN_MS = 150_000;
const PYTHON_WITHIN_MS = 170_000;
const MOST_PRINTED_BYTES = 64 * 1024 * 1024;

/** Celery with what it was released beside: an environment is the same next year. */
const releases = {
  '5.7.0': ['celery[redis]==5.7.0', 'kombu==5.7.0', 'billiard==4.3.2', 'redis==8.1.0'],
  '5.6.3': ['celery[redis]==5.6.3', 'kombu==5.6.2', 'billiard==4.2.4', 'redis==5.2.1'],
  '5.2.7': ['celery[redis]==5.2.7', 'kombu==5.2.4', 'billiard==3.6.4.0', 'redis==4.3.4', 'setuptools==80.9.0'],
} as const;

export type CeleryRelease = keyof typeof releases;

export type CeleryOptions = {
  readonly release?: CeleryRelease;
  /** The `.py` file whose `app` is the Celery application. It takes broker and result store from the environment. */
  readonly app: string;
  readonly redisUrl: string;
};

export type CeleryWorkerOptions = CeleryOptions & {
  readonly queues: readonly string[];
  /** Default: prefork. */
  readonly pool?: 'prefork' | 'threads' | 'solo';
  /** Default: 2. */
  readonly concurrency?: number;
  /** Trailing settings of the command line, such as `task.acks_late=true`. */
  readonly settings?: readonly string[];
  /** Default: INFO, a line for each task. */
  readonly logLevel?: 'INFO' | 'WARNING';
};

/** An unmodified `celery worker` that answers. */
export type CeleryWorker = {
  readonly pid: number;
  /** The last of its log. */
  output(): string;
  /** Warm shutdown; what has not ended after the grace is killed. Default 10,000. */
  stop(graceMs?: number): Promise<void>;
};

/** Starts `celery worker` and resolves when it has announced itself. */
export async function startCeleryWorker(options: CeleryWorkerOptions): Promise<CeleryWorker> {
  const python = await celeryPython(options);
  const name = `test-${randomUUID().slice(0, 8)}@localhost`;
  const words = [
    'worker',
    '--pool',
    options.pool ?? 'prefork',
    '--concurrency',
    String(options.concurrency ?? 2),
    '--hostname',
    name,
  ];
  const argv = [python, '-m', 'celery', '--app', moduleOf(options), ...words, '--queues', options.queues.join(',')];
  const listener = new Redis(options.redisUrl);
  try {
    const { heard } = await announcement(listener, name);
    const settings = options.settings ?? [];
    const worker = startBoundProcess(
      [...argv, '--loglevel', options.logLevel ?? 'INFO', ...settings] as [string, ...string[]],
      {
        cwd: dirname(options.app),
        env: environment(options),
      },
    );
    await within(heard, worker);
    return { pid: worker.pid, output: () => worker.output(), stop: (graceMs) => worker.stop(graceMs) };
  } finally {
    listener.disconnect();
  }
}

export type PythonOptions = CeleryOptions & {
  /** What it reads from its standard input. Default: nothing. */
  readonly input?: string;
};

/** Runs Python with `app` imported from the application's file; returns what it printed. */
export async function runPython(options: PythonOptions, source: string): Promise<string> {
  const python = await celeryPython(options);
  const running = promisify(execFile)(python, ['-c', `from ${moduleOf(options)} import app\n${source}`], {
    cwd: dirname(options.app),
    env: { ...process.env, ...environment(options) },
    timeout: PYTHON_WITHIN_MS,
    maxBuffer: MOST_PRINTED_BYTES,
  });
  running.child.stdin?.end(options.input ?? '');
  return (await running).stdout.trim();
}

/** Makes the Python of every release that is not there yet. */
export async function provideCelery(): Promise<void> {
  for (const requirements of Object.values(releases)) await pythonWith(requirements);
}

export function celeryPython({ release = '5.7.0' }: Pick<CeleryOptions, 'release'>): Promise<string> {
  return pythonWith(releases[release]);
}

function moduleOf({ app }: CeleryOptions): string {
  return basename(app, '.py');
}

function environment({ redisUrl }: CeleryOptions): Record<string, string> {
  const quiet = { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', C_FORCE_ROOT: '1' };
  return { CELERY_BROKER_URL: redisUrl, CELERY_RESULT_BACKEND: redisUrl, ...quiet };
}

/** Resolves when it is listened for; `heard` resolves when the worker of that name has announced itself. */
async function announcement(listener: Redis, name: string): Promise<{ readonly heard: Promise<void> }> {
  await listener.psubscribe('*celeryev/worker.*');
  const heard = new Promise<void>((resolve) => {
    listener.on('pmessage', (_pattern: string, _channel: string, text: string) => {
      const { body } = JSON.parse(text) as { body: string };
      const { hostname } = JSON.parse(atob(body)) as { hostname: string };
      if (hostname === name) resolve();
    });
  });
  return { heard };
}

function within(heard: Promise<void>, worker: BoundProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      clearTimeout(timer);
      worker.child.off('exit', ended);
      void worker.stop(0);
      reject(new Error(`celery worker ${what}: ${worker.output()}`));
    };
    const ended = (code: number | null): void => fail(`ended with code ${String(code)}`);
    const timer = setTimeout(() => fail(`did not announce itself within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    worker.child.once('exit', ended);
    void heard.then(() => {
      clearTimeout(timer);
      worker.child.off('exit', ended);
      resolve();
    });
  });
}
