/** Counts are kept by slices of this many milliseconds, so that the window below is exact to one of them. */
const sliceMs = 10;
const slices = 10;

/** How often something happened within the last 100 ms. */
export class RecentCount {
  readonly #counts = new Array<number>(slices).fill(0);
  #slice = 0;
  #sum = 0;

  add(times: number, nowMs: number): void {
    this.#forget(nowMs);
    this.#counts[this.#slice % slices] = (this.#counts[this.#slice % slices] ?? 0) + times;
    this.#sum += times;
  }

  sum(nowMs: number): number {
    this.#forget(nowMs);
    return this.#sum;
  }

  #forget(nowMs: number): void {
    const slice = Math.floor(nowMs / sliceMs);
    // A clock that was set back counts on where it is; nothing is forgotten until it has caught up.
    const steps = Math.min(slices, slice - this.#slice);
    for (let step = 1; step <= steps; step += 1) {
      const at = (this.#slice + step) % slices;
      this.#sum -= this.#counts[at] ?? 0;
      this.#counts[at] = 0;
    }
    if (steps === slices) {
      this.#counts.fill(0);
      this.#sum = 0;
    }
    if (steps > 0) this.#slice = slice;
  }
}
