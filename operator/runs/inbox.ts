import { limits } from '#core/base/limits.ts';
import type { Observation } from '#core/workflow/observation.ts';
import type { InboxRoom } from './inbox-room.ts';

/** Observations taken into one call of the deciding script. */
const mostAtOnce = 1_000;

/** What was seen of a run and not decided on yet. */
export class Inbox {
  readonly #room: InboxRoom;
  #seen: Observation[] = [];
  #waiting = 0;
  /** Of what waits and of what is being decided on. */
  #taken = 0;

  constructor(room: InboxRoom) {
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#seen.length === 0;
  }

  add(observation: Observation): void {
    const length = lengthOf(observation);
    this.#seen.push(observation);
    this.#waiting += length;
    this.#taken += length;
    this.#room.take(length);
  }

  /**
   * The oldest, as many as one call takes in by their number and by what their results weigh; at least one. They take up
   * room until `settle`.
   */
  take(): readonly Observation[] {
    let count = 0;
    let length = 0;
    while (count < Math.min(mostAtOnce, this.#seen.length) && length < limits.recordedBytesPerCall) {
      const seen = this.#seen[count];
      if (seen !== undefined) length += lengthOf(seen);
      count += 1;
    }
    this.#waiting -= length;
    return this.#seen.splice(0, count);
  }

  /** Before `settle`. */
  putBack(seen: readonly Observation[]): void {
    this.#seen.unshift(...seen);
    this.#waiting += seen.reduce((sum, each) => sum + lengthOf(each), 0);
  }

  /** What was taken is decided on: only what is here takes up room. */
  settle(): void {
    const settled = this.#taken - this.#waiting;
    this.#taken = this.#waiting;
    if (settled !== 0) this.#room.give(settled);
  }

  clear(): void {
    this.#seen = [];
    this.#waiting = 0;
    this.settle();
  }
}

function lengthOf(observation: Observation): number {
  if (observation.seen === 'Succeeded') return observation.result.length;
  if ('failure' in observation) return observation.failure.exc.length + observation.failure.traceback.length;
  return 0;
}
