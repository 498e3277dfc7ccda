import type { Clock } from './run-ports.ts';

const slotsPerRestMs = 5_000;
const longestRestMs = 20;

/**
 * When a run takes its turns. A look over all slots of a wide run costs as much for one answer as for a thousand: between
 * its turns it rests, a millisecond for every 5,000 slots, while more is heard.
 */
export class TurnPace {
  readonly #clock: Clock;
  #notBeforeMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls when the next turn may begin; of a narrow run that is at once. */
  begin(turn: () => void): void {
    const restMs = this.#notBeforeMs - this.#clock.nowMs();
    // A clock that was set back keeps nobody waiting.
    if (restMs > 0 && restMs <= longestRestMs) this.#clock.after(restMs, turn);
    else this.#clock.soon(turn);
  }

  /** A turn was taken: whether the run is to rest now. */
  rests(slots: number): boolean {
    const restMs = Math.min(longestRestMs, Math.floor(slots / slotsPerRestMs));
    this.#notBeforeMs = this.#clock.nowMs() + restMs;
    return restMs > 0;
  }
}
