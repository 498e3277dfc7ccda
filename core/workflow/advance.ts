import type { JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import type { Recorded } from './record.ts';
import { hasEnded, readSlot, withSlots, type Slot, type Slots } from './slots.ts';

/** A run's head as it is stored. `rev` rises by one with each change; it is how loss of data is noticed. */
export interface RunHead {
  readonly uid: string;
  readonly rev: number;
  readonly round: number;
  readonly planVersion: number;
  /** Of the frozen spec (`core/workflow/digest.ts`). */
  readonly digest: string;
  readonly cancelled: boolean;
  /** When the run began: milliseconds since 1970 by the Redis server's clock. */
  readonly begunAtMs: number;
}

/** What the store holds of one run. */
export interface StoredRun {
  readonly head: RunHead;
  readonly slots: Slots;
  readonly kept: ReadonlyMap<number, JsonText>;
  /** Messages for brokers that the script cannot reach: `outboxEntry` texts, oldest first. */
  readonly outbox: readonly string[];
}

/** Where a message goes. `Push`: into a list of the same Redis, by the script itself. `Outbox`: left for the operator to publish. */
export type Dispatch =
  | { readonly by: 'Push'; readonly db: number; readonly list: string; readonly bell: string; readonly message: string }
  | { readonly by: 'Outbox'; readonly entry: string }
  | { readonly by: 'Hold' };

export interface Publish {
  readonly step: number;
  readonly slot: Slot;
  readonly dispatch: Dispatch;
  /** Runs after a cancel as well: handlers and `finally`. */
  readonly isCleanUp: boolean;
}

export interface AdvanceRequest {
  readonly fence: number;
  /** The revision that this was decided on. */
  readonly rev: number;
  readonly records: readonly Recorded[];
  /** At most `limits.publishesPerCall`. */
  readonly publishes: readonly Publish[];
  /** Changes of the count of held messages, by the queue's name on the wire. */
  readonly ledger: readonly { readonly queue: string; readonly delta: number }[];
  readonly timers: {
    readonly set: readonly { readonly name: string; readonly dueAtMs: number }[];
    readonly clear: readonly string[];
  };
  /** Absent: as before. A cancel is never taken back within a round. */
  readonly cancel?: true;
}

export type AdvanceAnswer =
  | { readonly ok: true; readonly rev: number }
  /** The run's head is gone: its Redis lost data. */
  | { readonly ok: false; readonly refusal: 'HeadMissing' }
  /** Another operator took this shard after us. */
  | { readonly ok: false; readonly refusal: 'StaleFence'; readonly fence: number }
  /** Decided on something older; what stands is given, so that the next decision is on that. */
  | { readonly ok: false; readonly refusal: 'StaleRev'; readonly stored: StoredRun }
  /** A cancel is recorded: nothing but clean-up is published any more. */
  | { readonly ok: false; readonly refusal: 'Cancelled'; readonly stored: StoredRun };

export interface Advanced {
  readonly answer: AdvanceAnswer;
  /** Undefined when refused: then nothing is written. */
  readonly next?: StoredRun;
}

/**
 * The rules of the deciding script, all or nothing. The Lua in `io/runs/redis` is held to this function by the suite in
 * `test/conformance/run-store.test.ts`. What is not a rule about one run — pushing, the ledger, timers — the store does
 * when `next` is given.
 */
export function advance(stored: StoredRun | undefined, shardFence: number, request: AdvanceRequest): Advanced {
  checkSize(request);
  if (stored === undefined) return { answer: { ok: false, refusal: 'HeadMissing' } };
  if (request.fence < shardFence) return { answer: { ok: false, refusal: 'StaleFence', fence: shardFence } };
  if (request.rev !== stored.head.rev) return { answer: { ok: false, refusal: 'StaleRev', stored } };
  if (stored.head.cancelled && request.publishes.some((publish) => !publish.isCleanUp)) {
    return { answer: { ok: false, refusal: 'Cancelled', stored } };
  }
  const rev = stored.head.rev + 1;
  const accepted = acceptedRecords(stored, request.records);
  const kept = new Map(stored.kept);
  for (const { step, keep } of accepted) if (keep !== undefined) kept.set(step, keep);
  const entries = request.publishes.flatMap(({ dispatch }) => (dispatch.by === 'Outbox' ? [dispatch.entry] : []));
  return {
    answer: { ok: true, rev },
    next: {
      head: { ...stored.head, rev, cancelled: stored.head.cancelled || request.cancel === true },
      slots: withSlots(stored.slots, [
        ...accepted.map((record) => [record.step, record.slot] as const),
        ...request.publishes.map((publish) => [publish.step, publish.slot] as const),
      ]),
      kept,
      outbox: [...stored.outbox, ...entries],
    },
  };
}

/** An outcome stands as first recorded, also against a second one in the same request. */
function acceptedRecords(stored: StoredRun, records: readonly Recorded[]): readonly Recorded[] {
  const ended = new Set<number>();
  return records.filter(({ step, slot }) => {
    if (ended.has(step) || hasEnded(readSlot(stored.slots, step).state)) return false;
    if (hasEnded(slot.state)) ended.add(step);
    return true;
  });
}

/** Throws RangeError on a request that no store takes: its caller is to split it. */
export function checkSize({ publishes }: AdvanceRequest): void {
  if (publishes.length <= limits.publishesPerCall) return;
  throw new RangeError(`${publishes.length} messages in one call; ${limits.publishesPerCall} are the most`);
}
