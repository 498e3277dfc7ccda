/** Due tasks that are named of those that go the same way; the others are counted, and have their turn when these are out. */
const mostDue = 1_000;

/** Collects what is due: some by slot, all by number. */
export class DueTasks {
  /** In the order in which they were found. */
  readonly slots: number[] = [];
  /** Of each of these. */
  readonly #ways: number[] = [];
  readonly #counts = new Map<number, number>();
  /** Neighbours go the same way more often than not. */
  #way = -1;
  #count = 0;

  /** `way`: see `dueWay`. */
  add(way: number, slot: number): void {
    if (way !== this.#way) this.#turnTo(way);
    this.#count += 1;
    if (this.#count <= mostDue) this.#name(way, slot);
  }

  /** What another one collected, after what this one did. */
  addAll(other: DueTasks): void {
    const free = new Map<number, number>();
    const before = this.counts();
    for (const [way, count] of other.counts()) {
      const known = before.get(way) ?? 0;
      this.#counts.set(way, known + count);
      if (known < mostDue) free.set(way, mostDue - known);
    }
    if (free.size === 0) return;
    for (const [index, slot] of other.slots.entries()) {
      const way = other.#ways[index] ?? -1;
      const left = free.get(way) ?? 0;
      if (left > 0) this.#name(way, slot);
      free.set(way, left - 1);
    }
  }

  /** How many there are, by way. */
  counts(): ReadonlyMap<number, number> {
    this.#turnTo(-1);
    return this.#counts;
  }

  #name(way: number, slot: number): void {
    this.slots.push(slot);
    this.#ways.push(way);
  }

  #turnTo(way: number): void {
    if (this.#count > 0) this.#counts.set(this.#way, this.#count);
    this.#way = way;
    this.#count = this.#counts.get(way) ?? 0;
  }
}
