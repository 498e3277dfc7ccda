import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './progress.ts';

/** Long enough for a mirror that is being updated, short enough for a person who waits. */
const PAUSES_MS = [5_000, 20_000];

/**
 * Does what rests on the network: once, and again after each pause while it fails. Every failure but the last is told; the
 * last is the caller's.
 */
export async function attempted<T>(what: string, work: () => Promise<T>, pausesMs = PAUSES_MS): Promise<T> {
  for (const [index, pauseMs] of pausesMs.entries()) {
    try {
      return await work();
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const count = `attempt ${index + 1} of ${pausesMs.length + 1}`;
      say(`${what} failed (${count}); trying again in ${pauseMs / 1_000} s: ${said}`);
      await sleep(pauseMs);
    }
  }
  return work();
}
