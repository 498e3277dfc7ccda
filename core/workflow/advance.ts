import type { JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { hasEnded, slotBytes, slotStateAt, withSlots, type Slot, type Slots } from './slots.ts';
import type { Unfolded, UnfoldedMaps } from './unfolded.ts';

/** Why a run was cancelled; `''` when it was not. */
export type Cancelled = '' | 'Cancelled' | 'DeadlineExceeded';

/** A run's head as it is stored. `rev` rises by one with each change; it is how loss of data is noticed. */
export interface RunHead {
  readonly uid: string;
  readonly rev: number;
  readonly round: number;
  /** When rounds 1, 2, … began, in ticks of 10 ms since the run began; as many as `round` says. */
  readonly roundsAt: readonly number[];
  /** The `retryFailed` of the Workflow that was answered by a round; rounds begin for losses of data as well. */
  readonly retried: number;
  readonly planVersion: number;
  /** Of the frozen spec (`core/workflow/digest.ts`). */
  readonly digest: string;
  readonly cancelled: Cancelled;
  /** When the run began: milliseconds since 1970 by the Redis server's clock. */
  readonly begunAtMs: number;
}

/** What the store holds of one run. */
export interface StoredRun {
  readonly head: RunHead;
  readonly slots: Slots;
  /** By slot index. */
  readonly kept: ReadonlyMap<number, JsonText>;
  readonly maps: UnfoldedMaps;
  /** Messages that are due and held back, by the queue's name on the wire, as they were told last. */
  readonly ledger: ReadonlyMap<string, number>;
  /** Messages for brokers that the script cannot reach: `outboxEntry` texts, oldest first. */
  readonly outbox: readonly string[];
}

/** A change of one slot, and the text that is kept with it. */
export interface Recorded {
  /** Slot index. */
  readonly at: number;
  readonly slot: Slot;
  readonly keep?: JsonText;
}

/** Where a message goes. `Push`: into a list of the same Redis, by the script itself. `Outbox`: left for the operator to publish. */
export type Dispatch =
  | { readonly by: 'Push'; readonly db: number; readonly list: string; readonly bell: string; readonly message: string }
  | { readonly by: 'Outbox'; readonly entry: string };

export interface Publish {
  /** Slot index. */
  readonly at: number;
  readonly slot: Slot;
  readonly dispatch: Dispatch;
  /** Runs after a cancel as well: handlers and `finally`. */
  readonly isCleanUp: boolean;
}

/**
 * A map whose members are known now: the slots grow to hold them, all of them waiting, so `base` lies behind every slot
 * there is. Unfolded anew, a map forgets the texts kept of its members.
 */
export interface Unfold extends Unfolded {
  /** The step of the map. */
  readonly step: number;
}

export interface NewRound {
  /** All of them: they replace what stands. */
  readonly slots: Slots;
  /** When it begins, in ticks since the run began. */
  readonly atTicks: number;
  /** The `retryFailed` that it answers. */
  readonly retried: number;
}

export interface AdvanceRequest {
  readonly fence: number;
  /** The revision that this was decided on. */
  readonly rev: number;
  readonly records: readonly Recorded[];
  /** At most `limits.publishesPerCall`. */
  readonly publishes: readonly Publish[];
  readonly unfolds: readonly Unfold[];
  /** Numbers of the ledger that are others now: the number itself, not its change; 0 removes it. */
  readonly ledger: readonly { readonly queue: string; readonly held: number }[];
  /** Absent: as before. A cancel is never taken back within a round; its first reason stands. */
  readonly cancel?: Exclude<Cancelled, ''>;
  /** Goes with neither records, publishes nor a cancel. Takes a cancel back, and forgets the texts kept of what has not ended. */
  readonly newRound?: NewRound;
}

export type AdvanceAnswer =
  | { readonly ok: true; readonly rev: number }
  /** The run's head is gone, or its slots, without which the head tells nothing: its Redis lost data. */
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

/** How what changes is written: into a copy, or into what nobody else holds. */
export interface Writing {
  slots(slots: Slots, changes: readonly SlotChange[]): Slots;
  kept(kept: StoredRun['kept'], texts: readonly KeptText[]): StoredRun['kept'];
}

type SlotChange = readonly [index: number, slot: Slot];
type KeptText = readonly [index: number, text: JsonText];

const copying: Writing = { slots: withSlots, kept: (kept, texts) => new Map([...kept, ...texts]) };

/**
 * The rules of the deciding script, all or nothing. The Lua in `io/runs/redis` is held to this function by the suite in
 * `test/conformance/run-store.test.ts`. What is not a rule about one run — pushing, the sums of all ledgers, a shard's fence — the
 * store does when `next` is given. In order: a new round's slots, unfolds, records, publishes. Without `writing` what is
 * stored stays as it is.
 */
export function advance(
  stored: StoredRun | undefined,
  shardFence: number,
  request: AdvanceRequest,
  writing: Writing = copying,
): Advanced {
  checkRequest(request);
  if (stored === undefined) return { answer: { ok: false, refusal: 'HeadMissing' } };
  if (request.fence < shardFence) return { answer: { ok: false, refusal: 'StaleFence', fence: shardFence } };
  if (request.rev !== stored.head.rev) return { answer: { ok: false, refusal: 'StaleRev', stored } };
  if (stored.head.cancelled !== '' && request.publishes.some((publish) => !publish.isCleanUp)) {
    return { answer: { ok: false, refusal: 'Cancelled', stored } };
  }
  const head = nextHead(stored.head, request);
  const maps = withUnfolds(stored.maps, request.unfolds);
  const slots = unfoldedSlots(request.newRound?.slots ?? stored.slots, request.unfolds);
  const accepted = acceptedRecords(slots, request.records);
  const changes = [...accepted, ...request.publishes].map(({ at, slot }) => [at, slot] as const);
  const next: StoredRun = {
    head,
    slots: changes.length === 0 ? slots : writing.slots(slots, changes),
    kept: nextKept(stored, accepted, request, writing),
    maps,
    ledger: nextLedger(stored.ledger, request.ledger),
    outbox: nextOutbox(stored.outbox, outboxEntries(request.publishes)),
  };
  return { answer: { ok: true, rev: head.rev }, next };
}

function nextHead(head: RunHead, { cancel, newRound }: AdvanceRequest): RunHead {
  const rev = head.rev + 1;
  if (newRound === undefined)
    return { ...head, rev, cancelled: head.cancelled === '' ? (cancel ?? '') : head.cancelled };
  const roundsAt = [...head.roundsAt, newRound.atTicks];
  return { ...head, rev, round: head.round + 1, roundsAt, retried: newRound.retried, cancelled: '' };
}

function withUnfolds(maps: UnfoldedMaps, unfolds: readonly Unfold[]): UnfoldedMaps {
  if (unfolds.length === 0) return maps;
  return new Map([...maps, ...unfolds.map(({ step, base, count, width }) => [step, { base, count, width }] as const)]);
}

/** As `SETRANGE` lengthens a string: with zeros, which is what a waiting slot is. */
function unfoldedSlots(slots: Slots, unfolds: readonly Unfold[]): Slots {
  const size = unfolds.reduce((most, { base, count, width }) => Math.max(most, (base + count * width) * slotBytes), 0);
  if (size <= slots.length) return slots;
  const longer = new Uint8Array(size);
  longer.set(slots);
  return longer;
}

function nextKept(
  { kept, maps }: StoredRun,
  accepted: readonly Recorded[],
  { newRound, unfolds }: AdvanceRequest,
  writing: Writing,
): StoredRun['kept'] {
  const texts = accepted.flatMap(({ at, keep }) => (keep === undefined ? [] : [[at, keep] as const]));
  const anew = unfolds.flatMap(({ step }) => maps.get(step) ?? []);
  if (newRound === undefined && anew.length === 0) return texts.length === 0 ? kept : writing.kept(kept, texts);
  const isForgotten = (at: number): boolean =>
    (newRound !== undefined && !hasEnded(slotStateAt(newRound.slots, at))) ||
    anew.some(({ base, count, width }) => at >= base && at < base + count * width);
  return new Map([...[...kept].filter(([at]) => !isForgotten(at)), ...texts]);
}

function nextLedger(ledger: StoredRun['ledger'], told: AdvanceRequest['ledger']): StoredRun['ledger'] {
  if (told.length === 0) return ledger;
  const all = new Map([...ledger, ...told.map(({ queue, held }) => [queue, held] as const)]);
  return new Map([...all].filter(([, held]) => held > 0));
}

function outboxEntries(publishes: readonly Publish[]): readonly string[] {
  return publishes.flatMap(({ dispatch }) => (dispatch.by === 'Outbox' ? [dispatch.entry] : []));
}

function nextOutbox(outbox: StoredRun['outbox'], entries: readonly string[]): StoredRun['outbox'] {
  return entries.length === 0 ? outbox : [...outbox, ...entries];
}

/** An outcome stands as first recorded, also against a second one in the same request. */
function acceptedRecords(slots: Slots, records: readonly Recorded[]): readonly Recorded[] {
  const ended = new Set<number>();
  return records.filter(({ at, slot }) => {
    if (ended.has(at) || hasEnded(slotStateAt(slots, at))) return false;
    if (hasEnded(slot.state)) ended.add(at);
    return true;
  });
}

/** Throws RangeError on a request that no store takes: its caller is to split it. */
export function checkRequest({ publishes, records, cancel, newRound }: AdvanceRequest): void {
  if (publishes.length > limits.publishesPerCall) {
    throw new RangeError(`${publishes.length} messages in one call; ${limits.publishesPerCall} are the most`);
  }
  if (newRound !== undefined && (publishes.length > 0 || records.length > 0 || cancel !== undefined)) {
    throw new RangeError('a new round goes in a call without records, messages and cancel; send them in the next one');
  }
}
