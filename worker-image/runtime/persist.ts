import { pause, type WorkerClock } from './worker-clock.ts';
import type { WorkerLog } from './worker-ports.ts';

const RETRY_MS = 500;

/** What it takes to try again until it works. */
export type PersistPorts = Pick<WorkerClock, 'after'> & { readonly log: WorkerLog };

/**
 * Does it until it is done. What a finished task left behind is worth waiting for: the worker keeps the message in its
 * hands meanwhile, and gives it back only by dying. The log hears of each reason once, and that it is over.
 */
export async function persist<T>(ports: PersistPorts, call: () => Promise<T>): Promise<T> {
  const told = new Set<string>();
  for (;;) {
    try {
      const done = await call();
      if (told.size > 0) ports.log.info({}, 'what a task left behind is stored now');
      return done;
    } catch (error) {
      const { message } = error as Error;
      if (!told.has(message)) {
        ports.log.warn({ error: message }, 'what a task left behind could not be stored yet; trying again until it is');
      }
      told.add(message);
      await pause(ports, RETRY_MS);
    }
  }
}
