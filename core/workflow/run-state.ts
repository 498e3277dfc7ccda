import type { JsonText } from '#core/base/json-text.ts';
import type { Cancelled } from './advance.ts';
import type { Items } from './items.ts';
import type { Slots } from './slots.ts';
import type { UnfoldedMaps } from './unfolded.ts';

/** Kept texts by slot. */
export interface Kept {
  get(slot: number): JsonText | undefined;
}

/**
 * What is known of a live run. `kept` holds, by slot, the text of a result that something still needs, or of a failure
 * (`core/workflow/failure.ts`); it is what the deciding script recorded, never read again from the result store.
 */
export interface RunState {
  readonly slots: Slots;
  readonly kept: Kept;
  readonly maps: UnfoldedMaps;
  readonly cancelled: Cancelled;
  /** Milliseconds since 1970 by the Redis server's clock; slots count from it. */
  readonly begunAtMs: number;
  /** Items of maps as they were found, by step: they follow from the rest, and are too many to be found again each time. */
  readonly items: Map<number, Items>;
  /** Slots of elements whose condition held: it follows from the rest as well. */
  readonly admitted: Set<number>;
  /** Characters beyond which no list of results is made. Default `limits.listBytes`. */
  readonly listCharacters?: number | undefined;
}
