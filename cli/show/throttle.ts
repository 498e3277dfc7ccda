/** What costs much is done less often: it may take this share of the time. */
const share = 0.1;
const longestPauseMs = 1_000;

/** Calls soon after it was asked to, once for all who asked meanwhile. */
export class Throttle {
  readonly #call: () => void;
  readonly #leastMs: number;
  #pauseMs: number;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(pauseMs: number, call: () => void) {
    this.#leastMs = pauseMs;
    this.#pauseMs = pauseMs;
    this.#call = call;
  }

  ask(): void {
    if (this.#hasEnded) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const startedMs = performance.now();
      this.#call();
      const costMs = performance.now() - startedMs;
      this.#pauseMs = Math.min(longestPauseMs, Math.max(this.#leastMs, costMs / share));
    }, this.#pauseMs);
  }

  /** Calls once more, now, and never again. Repeats do nothing. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#call();
  }
}
