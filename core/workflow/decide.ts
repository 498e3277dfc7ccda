import type { JsonText } from '#core/base/json-text.ts';
import type { PayloadLimits } from '#core/base/payload-limits.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { Recorded, Unfold } from './advance.ts';
import type { Blocks } from './blocks.ts';
import { failedAs } from './element-state.ts';
import { evaluate } from './evaluate.ts';
import type { Change, Evaluation } from './evaluation.ts';
import { encodeFailure, engineFailure, isOfEngine } from './failure.ts';
import { memberCount } from './items.ts';
import { judgeOf, type RunFacts } from './judge.ts';
import type { Observation } from './observation.ts';
import { recordOf } from './record.ts';
import { slotToRunAgain } from './run-again.ts';
import type { Kept, RunState } from './run-state.ts';
import { encodeSlot, isInFlight, readSlot, slotBytes, slotStateAt, type Slot, type Slots } from './slots.ts';
import { slotCount } from './layout.ts';
import type { Unfolded } from './unfolded.ts';
import { failureOfValue } from './value-failure.ts';
import { itemsOfMap, mapAt } from './value.ts';

export interface DecisionContext {
  readonly nowTicks: number;
  readonly run48: string;
  readonly run: RunFacts;
  readonly payloadLimits: Pick<PayloadLimits, 'resultBytes'>;
  /** Of the slots that are known; absent: all of them are looked at. */
  readonly blocks?: Blocks;
}

export interface Decision {
  /** With what was recorded and unfolded. */
  readonly state: RunState;
  /** What is new, to be written together with what follows from it; one record a slot, the latest. */
  readonly records: readonly Recorded[];
  readonly unfolds: readonly Unfold[];
  /** Of each slot that was written, its bytes as they were: until the decision is acknowledged, those are what stands. */
  readonly before: ReadonlyMap<number, Uint8Array>;
  /** Slots of these that were in flight and are no longer. */
  readonly landed: readonly number[];
  /** Slots that the engine itself ended: a message that was taken back or is gone, of which no worker said anything. */
  readonly unanswered: ReadonlySet<number>;
  /** What follows: `evaluation.due` is what to publish. */
  readonly evaluation: Evaluation;
  /** Slots of tasks whose results are needed for what follows, and gone: they are to run again first. */
  readonly runAgain: ReadonlySet<number>;
  /** Not all that follows was looked at: decide again. */
  readonly hasMore: boolean;
}

/** Records of one decision, about: what is left follows in the next. */
const mostRecords = 2_000;

/**
 * One step of a run's life: what was seen, folded into what is known, and what follows. Level-triggered: `due` comes
 * from the state alone, so whatever a crash kept from being published is due again.
 */
export function decide(plan: Plan, known: RunState, seen: readonly Observation[], context: DecisionContext): Decision {
  return decideHere(plan, { ...known, slots: known.slots.slice() }, seen, context);
}

/** The same, of slots that are the caller's own: what is recorded is written into them, unless maps begin and they grow. */
export function decideHere(
  plan: Plan,
  known: RunState,
  seen: readonly Observation[],
  context: DecisionContext,
): Decision {
  const draft = draftOf(plan, known, context.blocks);
  for (const observation of seen) note(draft, plan, observation, context);
  for (;;) {
    const judge = judgeOf(plan, draft.state, context.run);
    const evaluation = evaluate(plan, draft.state, { ...context, judge });
    for (const change of evaluation.changes) write(draft, recordOfChange(draft.state, change, context.nowTicks));
    for (const step of evaluation.unfold) unfold(draft, plan, step, context.nowTicks);
    const isSettled = evaluation.changes.length === 0 && evaluation.unfold.every((step) => draft.lacking.has(step));
    if (!isSettled && draft.records.size < mostRecords) continue;
    return decisionOf(draft, evaluation, !isSettled);
  }
}

function decisionOf(draft: Draft, evaluation: Evaluation, hasMore: boolean): Decision {
  const { state, records, unfolds, before, lacking, unanswered } = draft;
  const landed = draft.inFlight.filter((at) => !isInFlight(slotStateAt(state.slots, at)));
  const runAgain = new Set([...evaluation.runAgain, ...lacking.values()]);
  const found = { records: [...records.values()], unfolds, before, landed, unanswered };
  return { state, ...found, evaluation, runAgain, hasMore };
}

/** A decision as it is made: its state is this call's own until it is given out. */
interface Draft {
  state: RunState;
  readonly maps: Map<number, Unfolded>;
  readonly records: Map<number, Recorded>;
  readonly before: Map<number, Uint8Array>;
  readonly unfolds: Unfold[];
  /** By map that cannot begin, the slot of a task whose result it needs and that is to run again. */
  readonly lacking: Map<number, number>;
  /** Slots that are recorded and were in flight before. */
  readonly inFlight: number[];
  readonly unanswered: Set<number>;
  readonly blocks: Blocks | undefined;
}

function draftOf(plan: Plan, known: RunState, blocks: Blocks | undefined): Draft {
  const slots = withRoom(known.slots, slotCount(plan, known.maps));
  const maps = new Map(known.maps);
  const records = new Map<number, Recorded>();
  const state = { ...known, slots, maps, kept: keptWith(known.kept, records) };
  const unanswered = new Set<number>();
  const found = { records, before: new Map<number, Uint8Array>(), unfolds: [], lacking: new Map(), inFlight: [] };
  return { state, maps, ...found, unanswered, blocks };
}

function withRoom(slots: Slots, count: number): Slots {
  if (slots.length >= count * slotBytes) return slots;
  const longer = new Uint8Array(count * slotBytes);
  longer.set(slots);
  return longer;
}

function note(draft: Draft, plan: Plan, seen: Observation, context: DecisionContext): void {
  const record = recordOf(plan, draft.state, seen, context);
  if (record === undefined) return;
  if ('failure' in seen && isOfEngine(seen.failure)) draft.unanswered.add(record.at);
  else draft.unanswered.delete(record.at);
  write(draft, record);
}

/** What was kept before, and what is to be kept now. */
function keptWith(kept: Kept, records: ReadonlyMap<number, Recorded>): Kept {
  return { get: (slot): JsonText | undefined => records.get(slot)?.keep ?? kept.get(slot) };
}

function write({ state, records, before, inFlight, blocks }: Draft, record: Recorded): void {
  const first = record.at * slotBytes;
  if (!records.has(record.at)) {
    before.set(record.at, state.slots.slice(first, first + slotBytes));
    if (isInFlight(slotStateAt(state.slots, record.at))) inFlight.push(record.at);
  }
  blocks?.touch(record.at);
  state.slots.set(encodeSlot(record.slot), first);
  records.set(record.at, record);
}

function recordOfChange(state: RunState, change: Change, nowTicks: number): Recorded {
  const before = readSlot(state.slots, change.at);
  if (change.to === 'Scheduled')
    return { at: change.at, slot: { ...before, state: 'Scheduled', atTicks: change.dueTicks } };
  const slot: Slot = { ...before, state: change.to, atTicks: nowTicks };
  if (change.to === 'PassedOver') return { at: change.at, slot };
  return { at: change.at, slot, keep: encodeFailure(engineFailure('ConditionFailed', change.error)) };
}

/** Finds the members of a map that begins; one whose members cannot be found has failed. */
function unfold(draft: Draft, plan: Plan, index: number, nowTicks: number): void {
  const map = mapAt(plan, index);
  try {
    const count = memberCount(map, itemsOfMap(plan, draft.state, map));
    const unfolded = { base: slotCount(plan, draft.maps), count, width: map.width };
    draft.maps.set(index, unfolded);
    draft.unfolds.push({ step: index, ...unfolded });
    draft.state = { ...draft.state, slots: withRoom(draft.state.slots, unfolded.base + count * map.width) };
  } catch (error) {
    const runAgain = slotToRunAgain(plan, draft.state, error);
    if (runAgain !== undefined) {
      draft.lacking.set(index, runAgain);
      return;
    }
    const failure = failureOfValue(error);
    if (failure === undefined) throw error;
    const slot: Slot = { ...readSlot(draft.state.slots, index), state: failedAs(map), atTicks: nowTicks };
    write(draft, { at: index, slot, keep: encodeFailure(failure) });
  }
}
