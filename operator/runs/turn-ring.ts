/**
 * Whose turn it is, in rounds. Everybody who waits is served once a round. A newcomer is served in the running round,
 * before those who had their turn in it, so that a small run never waits for a large one's second turn; as many
 * newcomers are let in as waited when the round began, and one: so every round ends, and no arrivals, however many, keep
 * an older one waiting.
 */
export class TurnRing<T> {
  /** In the order of their turns, as sets keep it. */
  #now = new Set<T>();
  #next = new Set<T>();
  #mayStillJoin = 0;

  get size(): number {
    return this.#now.size + this.#next.size;
  }

  /** Lets one in that is not here; one that is keeps its place. */
  join(one: T): void {
    if (this.#now.has(one) || this.#next.has(one)) return;
    if (this.size === 0) this.#mayStillJoin = 3;
    if (this.#mayStillJoin === 0) this.#next.add(one);
    else {
      this.#mayStillJoin -= 1;
      this.#now.add(one);
    }
  }

  leave(one: T): void {
    if (!this.#now.delete(one)) this.#next.delete(one);
  }

  /** At most `most` of them, in the order of their turns. */
  first(most: number): readonly T[] {
    const found: T[] = [];
    for (const part of [this.#now, this.#next]) {
      for (const one of part) {
        if (found.length >= most) return found;
        found.push(one);
      }
    }
    return found;
  }

  /** The first had its turn: it is the last now. */
  serve(one: T): void {
    if (this.#now.size === 0) {
      this.#now = this.#next;
      this.#next = new Set();
      this.#mayStillJoin = this.#now.size + 1;
    }
    if (this.#now.delete(one)) this.#next.add(one);
  }
}
