import { pause, type WorkerClock } from './worker-clock.ts';
import type { WorkerLog } from './worker-ports.ts';

const RETRY_MS = 500;

/** What it takes to try again until it works. */
export type PersistPorts = Pick<WorkerClock, 'after'> & { readonly log: WorkerLog };

/**
 * Does it until it is done. What a finished task left behind is worth waiting for: the worker keeps the message in its
 * hands meanwhile, and gives it back only by dying.
 */
export async function persist<T>(ports: PersistPorts, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const fields = { error: (error as Error).message };
      ports.log.warn(fields, 'what a task left behind could not be stored yet; trying again');
      await pause(ports, RETRY_MS);
    }
  }
}
