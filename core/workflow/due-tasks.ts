/** Due tasks that are named of those that go the same way; the others are counted, and have their turn when these are out. */
const mostDue = 1_000;

/** Collects what is due: some by slot, all by number. */
export class DueTasks {
  /** In the order in which they were found. */
  readonly slots: number[] = [];
  readonly #counts = new Map<number, number>();
  /** Neighbours go the same way more often than not. */
  #way = -1;
  #count = 0;

  /** `way`: see `alikeOf`. */
  add(way: number, slot: number): void {
    if (way !== this.#way) this.#turnTo(way);
    this.#count += 1;
    if (this.#count <= mostDue) this.slots.push(slot);
  }

  /** How many there are, by way. */
  counts(): ReadonlyMap<number, number> {
    this.#turnTo(-1);
    return this.#counts;
  }

  #turnTo(way: number): void {
    if (this.#count > 0) this.#counts.set(this.#way, this.#count);
    this.#way = way;
    this.#count = this.#counts.get(way) ?? 0;
  }
}
