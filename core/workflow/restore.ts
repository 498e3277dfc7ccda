import type { StoredRun } from './advance.ts';

/** A run as an operator last knew it acknowledged, to be written back to a Redis that lost it. */
export interface RestoreRequest extends StoredRun {
  readonly fence: number;
}

export type RestoreAnswer =
  /** It stands again, at the revision that was given. */
  | { readonly ok: true; readonly rev: number }
  /** Another operator took this shard after us. */
  | { readonly ok: false; readonly refusal: 'StaleFence'; readonly fence: number }
  /** What stands is as new or newer: nothing was lost of what is given, or somebody went on from it. */
  | { readonly ok: false; readonly refusal: 'StaleRev'; readonly stored: StoredRun };

export interface Restored {
  readonly answer: RestoreAnswer;
  /** Undefined when refused: then nothing is written. */
  readonly next?: StoredRun;
}

/** The rules of writing a lost run back, all or nothing: only over nothing, or over something older of the same run. */
export function restore(
  stored: StoredRun | undefined,
  shardFence: number,
  { fence, ...known }: RestoreRequest,
): Restored {
  if (fence < shardFence) return { answer: { ok: false, refusal: 'StaleFence', fence: shardFence } };
  if (stored !== undefined && stored.head.rev >= known.head.rev) {
    return { answer: { ok: false, refusal: 'StaleRev', stored } };
  }
  const { head, slots, kept, maps, ledger, outbox } = known;
  return { answer: { ok: true, rev: head.rev }, next: { head, slots, kept, maps, ledger, outbox } };
}
