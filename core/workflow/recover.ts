import type { JsonText } from '#core/base/json-text.ts';
import { maxRound } from '#core/base/task-id.ts';
import { planVersion, type Plan } from '#core/canvas/plan.ts';
import type { RunHead, StoredRun } from './advance.ts';
import type { Checkpoint } from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import { forEachTaskSlot, slotCount } from './layout.ts';
import { missingValues, type MissingValues } from './missing-values.ts';
import type { RunState } from './run-state.ts';
import { encodeSlot, hasEnded, isInFlight, readSlot, slotBytes, slotStateAt, type Slots } from './slots.ts';
import type { Unfolded, UnfoldedMaps } from './unfolded.ts';

/** A run after loss, as it is to be written back and goes on, and what that costs. */
export interface RecoveredRun {
  readonly run: StoredRun;
  /** Tasks that had been sent and not finished: nobody knows where their messages are, so they are sent again. */
  readonly sentAgain: number;
  /** Tasks that had finished and run again, because their value is needed and gone. */
  readonly runAgain: number;
}

/**
 * Goes on, in a further round, from what an operator remembers as acknowledged: what ended stands, what was in flight is
 * sent anew. Undefined when there are no more rounds.
 */
export function recoveredRun(plan: Plan, remembered: StoredRun, nowTicks: number): RecoveredRun | undefined {
  const { head } = remembered;
  if (head.round >= maxRound) return undefined;
  // What ended in this very tick ended in the round before.
  const atTicks = Math.max(nowTicks, head.roundsAt.at(-1) ?? 0) + 1;
  const draft = draftOf(plan, remembered);
  const sentAgain = sendAgain(plan, draft, atTicks);
  const runAgain = runMissingAgain(plan, draft, { ...head, isSameRound: false, nowTicks: atTicks });
  const next = { rev: head.rev + 1, round: head.round + 1, roundsAt: [...head.roundsAt, atTicks] };
  // Messages of the outbox are of the round before; what they were for is sent again.
  return { run: { ...remembered, ...draft, head: { ...head, ...next }, outbox: [] }, sentAgain, runAgain };
}

export interface FromStatus {
  readonly uid: string;
  readonly digest: string;
  /** As status tells. */
  readonly rev: number;
  readonly round: number;
  /** Tasks in flight. */
  readonly running: number;
  /** What status remembers; undefined when it was too large, or is none. */
  readonly checkpoint: Checkpoint | undefined;
  /** What Redis still has, older than status; undefined when it has nothing. */
  readonly stored: StoredRun | undefined;
  readonly nowTicks: number;
}

/**
 * What an operator makes of a run that it never drove, from status and from what is left in Redis: what either knows to
 * have ended has ended. Undefined when neither is there or of this plan, or when there are no more rounds.
 */
export function recoverFromStatus(plan: Plan, from: FromStatus): RecoveredRun | undefined {
  const known = knownFromStatus(plan, from);
  const recovered = known === undefined ? undefined : recoveredRun(plan, known, from.nowTicks);
  if (recovered === undefined || from.stored !== undefined) return recovered;
  // Status is written seldom: whatever is due now may have been sent since.
  const sentAgain = Math.max(from.running, countDue(plan, recovered.run, from.nowTicks) - recovered.runAgain);
  return { ...recovered, sentAgain };
}

function countDue(plan: Plan, { head, slots, kept, maps }: StoredRun, nowTicks: number): number {
  const { cancelled, begunAtMs } = head;
  const state: RunState = { slots, kept, maps, cancelled, begunAtMs, items: new Map(), admitted: new Set() };
  const { dueCounts } = evaluate(plan, state, { nowTicks, judge: () => 'Holds' });
  return [...dueCounts.values()].reduce((sum, each) => sum + each, 0);
}

function knownFromStatus(plan: Plan, from: FromStatus): StoredRun | undefined {
  const { uid, digest, checkpoint, stored } = from;
  if (checkpoint === undefined || !isOfPlan(plan, checkpoint, digest)) {
    return stored === undefined ? undefined : { ...stored, head: raised(stored.head, from) };
  }
  const { rev, round, roundsAt, retried, cancelled, begunAtMs, slots, maps } = checkpoint;
  const head: RunHead = { uid, rev, round, roundsAt, retried, planVersion, digest, cancelled, begunAtMs };
  const remembered: StoredRun = {
    head: raised(head, from),
    slots,
    kept: new Map(),
    maps,
    outbox: [],
    ledger: new Map(),
  };
  return stored === undefined ? remembered : merged(plan, stored, remembered);
}

/** At least at the revision and round that status tells, for ids of that round have been used. */
function raised(head: RunHead, { rev, round, nowTicks }: FromStatus): RunHead {
  const more = Math.max(0, round - head.round);
  const roundsAt = [...head.roundsAt, ...Array.from({ length: more }, () => nowTicks)];
  return { ...head, rev: Math.max(head.rev, rev), round: head.round + more, roundsAt };
}

/** For a run of which nothing is lost but a value: what made it runs again within the round. Undefined when none is missing. */
export function recoverValues(plan: Plan, known: StoredRun, nowTicks: number): RecoveredRun | undefined {
  const draft = draftOf(plan, known);
  const runAgain = runMissingAgain(plan, draft, { ...known.head, isSameRound: true, nowTicks });
  if (runAgain === 0) return undefined;
  return { run: { ...known, ...draft, head: { ...known.head, rev: known.head.rev + 1 } }, runAgain, sentAgain: 0 };
}

function isOfPlan(plan: Plan, checkpoint: Checkpoint, digest: string): boolean {
  const { maps, slots, roundsAt, round } = checkpoint;
  if (checkpoint.planVersion !== planVersion || checkpoint.digestStart !== digest.slice(0, 8)) return false;
  return roundsAt.length === round && areApart(plan, maps) && slots.length <= slotCount(plan, maps) * slotBytes;
}

/** Whether these are maps of the plan, and no two of them have one slot for different members. */
function areApart(plan: Plan, maps: UnfoldedMaps): boolean {
  let free = plan.steps.length;
  for (const [index, { base, count, width }] of [...maps].toSorted(([, a], [, b]) => a.base - b.base)) {
    const step = plan.steps[index];
    if (step?.kind !== 'Map' || step.width !== width || base < free) return false;
    free = base + count * width;
  }
  return true;
}

/** What ended by the memory of status has ended in what is stored as well; the values are those that are stored. */
function merged(plan: Plan, stored: StoredRun, remembered: StoredRun): StoredRun {
  const both = new Map([...remembered.maps, ...stored.maps]);
  const maps = areApart(plan, both) ? both : stored.maps;
  const slots = wholeSlots(plan, { ...stored, maps });
  for (let at = 0; at < remembered.slots.length / slotBytes; at += 1) {
    if (!hasEnded(slotStateAt(remembered.slots, at)) || hasEnded(slotStateAt(slots, at))) continue;
    if (at >= plan.steps.length && !isSameMember(at, maps, remembered.maps)) continue;
    slots.set(remembered.slots.subarray(at * slotBytes, (at + 1) * slotBytes), at * slotBytes);
  }
  return { ...stored, head: mergedHead(stored.head, remembered.head), maps, slots };
}

function mergedHead(stored: RunHead, remembered: RunHead): RunHead {
  const { round, roundsAt, cancelled } = remembered.round >= stored.round ? remembered : stored;
  const rev = Math.max(remembered.rev, stored.rev);
  return { ...stored, rev, round, roundsAt, cancelled, retried: Math.max(remembered.retried, stored.retried) };
}

/** Whether a slot of a map means the same member here and there: after an earlier loss two may have unfolded it apart. */
function isSameMember(at: number, maps: UnfoldedMaps, remembered: UnfoldedMaps): boolean {
  for (const [step, { base, count, width }] of remembered) {
    if (at < base || at >= base + count * width) continue;
    const here = maps.get(step);
    return here?.base === base && here.count === count;
  }
  return false;
}

/** What is stored of a run, as it is being mended. */
interface Draft {
  slots: Slots;
  readonly kept: Map<number, JsonText>;
  readonly maps: Map<number, Unfolded>;
}

function draftOf(plan: Plan, run: StoredRun): Draft {
  return { slots: wholeSlots(plan, run), kept: new Map(run.kept), maps: new Map(run.maps) };
}

function wholeSlots(plan: Plan, { slots, maps }: Pick<StoredRun, 'slots' | 'maps'>): Slots {
  const whole = new Uint8Array(slotCount(plan, maps) * slotBytes);
  whole.set(slots.subarray(0, whole.length));
  return whole;
}

/** What was on its way is due at once: it has waited for its countdown, and its condition held. */
function sendAgain(plan: Plan, { slots, maps }: Draft, atTicks: number): number {
  let count = 0;
  forEachTaskSlot(plan, maps, (_step, _member, at) => {
    const slot = readSlot(slots, at);
    if (!isInFlight(slot.state)) return;
    slots.set(encodeSlot({ ...slot, state: 'Scheduled', carried: false, atTicks }), at * slotBytes);
    count += 1;
  });
  return count;
}

interface Again extends Pick<RunHead, 'cancelled' | 'begunAtMs'> {
  /** Then a task that runs again needs an attempt of its own for its id. */
  readonly isSameRound: boolean;
  readonly nowTicks: number;
}

/** Resets finished tasks until every value that is needed is there or will be made. Returns how many. */
function runMissingAgain(plan: Plan, draft: Draft, again: Again): number {
  let count = 0;
  for (;;) {
    const { cancelled, begunAtMs, nowTicks } = again;
    const state: RunState = { ...draft, cancelled, begunAtMs, items: new Map(), admitted: new Set() };
    const missing = missingValues(plan, state, nowTicks);
    if (missing.again.size + missing.folded.size + missing.callLost.size === 0) return count;
    count += reset(plan, draft, missing, again);
  }
}

function reset(plan: Plan, draft: Draft, { again, folded, callLost }: MissingValues, { isSameRound }: Again): number {
  let count = 0;
  for (const map of folded) count += fold(plan, draft, map);
  for (const at of again) {
    const { state, attempt, lost } = readSlot(draft.slots, at);
    // A slot of a map that was folded is nothing any more.
    if (!hasEnded(state)) continue;
    const next = isSameRound ? { attempt: attempt + 1, lost: Math.min(lost + 1, 15) } : { attempt: 0, lost: 0 };
    draft.slots.set(encodeSlot({ state: 'Waiting', carried: false, atTicks: 0, ...next }), at * slotBytes);
    draft.kept.delete(at);
    count += 1;
  }
  for (const at of callLost) {
    if (at * slotBytes >= draft.slots.length) continue;
    draft.slots.set(encodeSlot({ ...readSlot(draft.slots, at), state: 'Waiting', atTicks: 0 }), at * slotBytes);
  }
  return count;
}

/** Forgets the members of a map. Returns how many of its tasks had succeeded. */
function fold(plan: Plan, draft: Draft, map: number): number {
  let count = 0;
  forEachTaskSlot(plan, draft.maps, (step, _member, at) => {
    if (step.map === map && slotStateAt(draft.slots, at) === 'Succeeded') count += 1;
  });
  const { base, count: members, width } = draft.maps.get(map) ?? { base: 0, count: 0, width: 0 };
  draft.slots.fill(0, base * slotBytes, (base + members * width) * slotBytes);
  for (let at = base; at < base + members * width; at += 1) draft.kept.delete(at);
  draft.maps.delete(map);
  draft.slots = draft.slots.slice(0, slotCount(plan, draft.maps) * slotBytes);
  return count;
}
