import type { WorkerLog } from './worker-ports.ts';

const RETRY_MS = 500;

/**
 * Does it until it is done. What a finished task left behind is worth waiting for: the worker keeps the message in its
 * hands meanwhile, and gives it back only by dying.
 */
export async function persist<T>(log: WorkerLog, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'what a task left behind could not be stored yet; trying again');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
