import { limits } from '#core/base/limits.ts';
import type { Observation } from '#core/workflow/observation.ts';

/** Observations taken into one call of the deciding script. */
const mostAtOnce = 1_000;

/** What was seen of a run and not decided on yet. */
export class Inbox {
  #seen: Observation[] = [];

  get isEmpty(): boolean {
    return this.#seen.length === 0;
  }

  add(observation: Observation): void {
    this.#seen.push(observation);
  }

  /** The oldest, as many as one call takes in by their number and by what their results weigh; at least one. */
  take(): readonly Observation[] {
    let count = 0;
    let length = 0;
    while (count < Math.min(mostAtOnce, this.#seen.length) && length < limits.recordedBytesPerCall) {
      const seen = this.#seen[count];
      if (seen?.seen === 'Succeeded') length += seen.result.length;
      count += 1;
    }
    return this.#seen.splice(0, count);
  }

  putBack(seen: readonly Observation[]): void {
    this.#seen.unshift(...seen);
  }

  clear(): void {
    this.#seen = [];
  }
}
