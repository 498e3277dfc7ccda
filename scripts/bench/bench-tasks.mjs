// Tasks of the benchmark for our worker; scripts/bench/celery/bench_app.py has the same for Celery's.
import { task } from 'arpeggio';

/** The same clock in every process of the machine, in milliseconds. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

export const noop = task({ inline: true }, () => null);

/** In a thread of its own, as tasks that say nothing run. */
export const noop_in_thread = () => null;

export const count = task({ inline: true }, (list) => list.length);

/** Milliseconds after its time. */
export const late = task({ inline: true }, (dueMs) => Date.now() - dueMs);

/** Of all that were late, what 99 in a hundred do not exceed. */
export const late99 = task({ inline: true }, (list) => list.sort((a, b) => a - b)[Math.ceil(list.length * 0.99) - 1]);

/** Adds when it began and when it ended to what came in. */
export const stamp = task({ inline: true }, (stamps = []) => {
  const began = now();
  return [...stamps, [began, now()]];
});
