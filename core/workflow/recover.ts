import { maxRound } from '#core/base/task-id.ts';
import { planVersion, type Plan } from '#core/canvas/plan.ts';
import type { RunHead, StoredRun } from './advance.ts';
import type { Checkpoint } from './checkpoint.ts';
import { evaluate } from './evaluate.ts';
import { forEachTaskSlot, slotCount } from './layout.ts';
import { draftOf, runMissingAgain, wholeSlots, type Draft } from './mending.ts';
import { nextRoundAt } from './new-round.ts';
import type { RunState } from './run-state.ts';
import { encodeSlot, hasEnded, isInFlight, readSlot, slotBytes, slotStateAt } from './slots.ts';
import { isSameMember, type UnfoldedMaps } from './unfolded.ts';

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
 * sent anew, and so is what ended in the slots `lost`. Undefined when there are no more rounds.
 */
export function recoveredRun(
  plan: Plan,
  remembered: StoredRun,
  nowTicks: number,
  lost: Iterable<number> = [],
): RecoveredRun | undefined {
  const { head } = remembered;
  if (head.round >= maxRound) return undefined;
  const atTicks = nextRoundAt(head, nowTicks);
  const draft = draftOf(plan, remembered);
  const sentAgain = sendAgain(plan, draft, atTicks);
  const runAgain = runMissingAgain(plan, draft, { ...head, isSameRound: false, nowTicks: atTicks, lost });
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
    if (!isSameMember(at, maps, remembered.maps)) continue;
    slots.set(remembered.slots.subarray(at * slotBytes, (at + 1) * slotBytes), at * slotBytes);
  }
  return { ...stored, head: mergedHead(stored.head, remembered.head), maps, slots };
}

function mergedHead(stored: RunHead, remembered: RunHead): RunHead {
  const { round, roundsAt, cancelled } = remembered.round >= stored.round ? remembered : stored;
  const rev = Math.max(remembered.rev, stored.rev);
  return { ...stored, rev, round, roundsAt, cancelled, retried: Math.max(remembered.retried, stored.retried) };
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
