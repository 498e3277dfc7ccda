import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';

/** The result keys of one Redis, and what it announces. A key may be deleted, as an eviction or a user does. */
export class FakeResults extends MemoryResultStore {
  readonly texts: Map<string, string>;

  constructor(texts: Map<string, string> = new Map()) {
    super(texts);
    this.texts = texts;
  }

  /** As an eviction or a hand on the keyboard does. */
  deleteLatest(): void {
    const id = [...this.texts.keys()].at(-1);
    if (id !== undefined) this.texts.delete(id);
  }
}
