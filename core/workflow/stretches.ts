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
  readonly #kept = new Map<number, Kept<T>>();

  constructor(slots: SlotChanges) {
    this.#slots = slots;
  }

  find(from: number, to: number): T | undefined {
    const kept = this.#kept.get(from);
    if (kept?.to !== to || !this.#slots.isUntouched(from, to, kept.madeAt)) return undefined;
    return kept.value;
  }

  keep(from: number, to: number, value: T): void {
    this.#kept.set(from, { value, to, madeAt: this.#slots.changes });
  }

  clear(): void {
    this.#kept.clear();
  }
}
