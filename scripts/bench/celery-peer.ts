import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { celeryPython, startCeleryWorker } from '../../test/support/celery.ts';
import { ROOT } from '../command.ts';
import type { BenchOptions } from './bench-options.ts';

const DRIVE_WITHIN_MS = 20 * 60_000;
const app = join(ROOT, 'scripts', 'bench', 'celery', 'bench_app.py');

export const celeryQueue = 'bench-celery';

/** Native Celery: one worker, prefork, two processes. */
export type CeleryPeer = {
  readonly options: BenchOptions;
  readonly redisUrl: string;
  readonly workerPid: number;
  /** Runs one of bench_app.py's measurements in a client process of its own. */
  drive<T>(what: string, ...numbers: readonly number[]): Promise<T>;
  stop(): Promise<void>;
};

export async function startCeleryPeer(options: BenchOptions, redisUrl: string): Promise<CeleryPeer> {
  const python = await celeryPython({});
  const worker = await startCeleryWorker({ app, redisUrl, queues: [celeryQueue], concurrency: 2, logLevel: 'WARNING' });
  async function drive<T>(what: string, ...numbers: readonly number[]): Promise<T> {
    const { stdout } = await promisify(execFile)(python, [app, what, ...numbers.map(String)], {
      env: {
        ...process.env,
        CELERY_BROKER_URL: redisUrl,
        CELERY_RESULT_BACKEND: redisUrl,
        PYTHONDONTWRITEBYTECODE: '1',
      },
      timeout: DRIVE_WITHIN_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    return JSON.parse(stdout) as T;
  }
  return { options, redisUrl, workerPid: worker.pid, drive, stop: () => worker.stop() };
}
