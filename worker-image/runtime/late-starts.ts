import type { WorkerClock } from './worker-clock.ts';

/** A task that runs longer says that it runs. */
const lateMs = 1_000;

interface Start {
  readonly atMs: number;
  readonly tell: () => void;
}

/**
 * Tells of tasks that run longer than a second that they have begun. Short ones, which are most, would pay for it with a
 * second write to the result store, and nobody could see it. One timer for all of them.
 */
export class LateStarts {
  readonly #clock: WorkerClock;
  /** In the order in which they began. */
  readonly #starts = new Map<string, Start>();
  #isTimed = false;

  constructor(clock: WorkerClock) {
    this.#clock = clock;
  }

  /** `tell` is called once, unless the task of this delivery has ended before. */
  began(tag: string, tell: () => void): void {
    this.#starts.set(tag, { atMs: this.#clock.nowMs(), tell });
    if (!this.#isTimed) this.#time(lateMs);
  }

  ended(tag: string): void {
    this.#starts.delete(tag);
  }

  #time(delayMs: number): void {
    this.#isTimed = true;
    this.#clock.after(delayMs, () => {
      this.#isTimed = false;
      this.#tellLate();
    });
  }

  #tellLate(): void {
    const now = this.#clock.nowMs();
    for (const [tag, { atMs, tell }] of this.#starts) {
      if (now - atMs < lateMs) {
        this.#time(lateMs - (now - atMs));
        return;
      }
      this.#starts.delete(tag);
      tell();
    }
  }
}
