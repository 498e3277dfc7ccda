/** Knows whether slots changed. */
export interface SlotChanges {
  /** So many there were so far. */
  readonly changes: number;
  /** Whether none of these slots, the last of them not included, was written to since there were so many. */
  isUntouched(from: number, to: number, since: number): boolean;
}

interface Kept<T> {
  readonly value: T;
  readonly to: number;
  readonly madeAt: number;
}

/** What was made of stretches of slots, by the slot where each begins, for as long as no slot of it changes. */
export class Stretches<T> {
  readonly #slots: SlotChanges;
  /** Made when something is kept: most runs have nothing wide. */
  #kept: Map<number, Kept<T>> | undefined;

  constructor(slots: SlotChanges) {
    this.#slots = slots;
  }

  find(from: number, to: number): T | undefined {
    const kept = this.#kept?.get(from);
    if (kept?.to !== to || !this.#slots.isUntouched(from, to, kept.madeAt)) return undefined;
    return kept.value;
  }

  keep(from: number, to: number, value: T): void {
    this.#kept ??= new Map();
    this.#kept.set(from, { value, to, madeAt: this.#slots.changes });
  }

  clear(): void {
    this.#kept = undefined;
  }
}
