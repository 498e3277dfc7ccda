import type { RunStore } from '#io/runs/run-store.ts';

/** Virtual shards of a home; the number never changes. */
export const shardCount = 256;

/**
 * The fences under which this operator decides. A lower one than another operator's is refused by the store, so two
 * leaders do no harm, however wrong their clocks are.
 */
export class Shards {
  readonly #store: RunStore;
  readonly #fences = new Map<number, number>();

  constructor(store: RunStore) {
    this.#store = store;
  }

  /** Throws `RunStoreUnavailable`. */
  async takeAll(): Promise<void> {
    await Promise.all(Array.from({ length: shardCount }, (_, shard) => this.take(shard)));
  }

  /** Takes a shard from whoever has it. Throws `RunStoreUnavailable`. */
  async take(shard: number): Promise<number> {
    const fence = await this.#store.takeShard(shard);
    this.#fences.set(shard, fence);
    return fence;
  }

  /** 0, which every store refuses once anyone took the shard, while it is not ours. */
  fence(shard: number): number {
    return this.#fences.get(shard) ?? 0;
  }
}
