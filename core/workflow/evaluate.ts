import { membersOf } from '#core/canvas/members.ts';
import {
  stepAt,
  type ChainStep,
  type ChordStep,
  type MapStep,
  type Plan,
  type PlanStep,
  type TaskStep,
} from '#core/canvas/plan.ts';
import { admissionAfter, admissionOfErrback, admissionOfLink, emptyState, type Admission } from './admission.ts';
import { countsFromDue } from './counts-from-due.ts';
import { addToFold, endedState, foldedState, isDone, isOver, newFold, type ElementState } from './element-state.ts';
import type { Change, Evaluation, EvaluationContext } from './evaluation.ts';
import { offsetOf, slotCount } from './layout.ts';
import type { RunState } from './run-state.ts';
import { dueTicks, hasEnded, slotBytes, slotStateAt, ticksAt, tickMs, type SlotState } from './slots.ts';

/** Due tasks that are named of one step; the others are counted, and have their turn when these are out. */
export const mostDue = 1_000;
/** Changes in one evaluation; what remains follows in the next. */
const mostChanges = 1_000;

interface Walk extends EvaluationContext {
  readonly plan: Plan;
  readonly state: RunState;
  readonly states: ElementState[];
  readonly due: number[];
  readonly dueCounts: Map<number, number>;
  readonly changes: Change[];
  readonly unfold: number[];
  nextDueTicks: number | undefined;
  /** Handlers that have not ended. */
  openHandlers: number;
}

/** A member of a map is visited with an offset: what is added to a step's index to find its slot. */
interface Spot {
  readonly offset: number;
  readonly member: number;
}

const literal: Spot = { offset: 0, member: 0 };

/**
 * The one rule: a step whose needs succeeded is due, one whose need failed is skipped. A composite ends when all its
 * members have ended, so that its errback is called once and when no member can still act.
 */
export function evaluate(plan: Plan, state: RunState, context: EvaluationContext): Evaluation {
  const walk: Walk = {
    ...context,
    ...{ plan, state, due: [], dueCounts: new Map<number, number>(), changes: [], unfold: [] },
    states: new Array<ElementState>(slotCount(plan, state.maps)).fill('Waiting'),
    nextDueTicks: undefined,
    openHandlers: 0,
  };
  const rootEnded = isOver(visit(walk, 0, literal, 'Open'));
  const handlersEnded = rootEnded && walk.openHandlers === 0;
  let finished = handlersEnded;
  for (const step of plan.finally) {
    finished = isOver(visit(walk, step, literal, handlersEnded ? 'Open' : 'Closed')) && finished;
  }
  const stage = finished ? 'Ended' : rootEnded ? 'Finalizing' : 'Running';
  const { states, due, dueCounts, changes, unfold, nextDueTicks } = walk;
  return { states, due, dueCounts, changes, unfold, nextDueTicks, stage };
}

function visit(walk: Walk, index: number, spot: Spot, admission: Admission): ElementState {
  const step = stepAt(walk.plan, index);
  const state = visitAdmitted(walk, step, spot, admission);
  walk.states[index + spot.offset] = state;
  if (step.role !== 'Member' && step.role !== 'Finally' && !isOver(state)) walk.openHandlers += 1;
  for (const link of step.links) visit(walk, link, spot, admissionOfLink(state));
  for (const errback of step.linkErrors) visit(walk, errback, spot, admissionOfErrback(state));
  return state;
}

/** An element that ended before it began has that in its own slot; else its condition is asked when it may begin. */
function visitAdmitted(walk: Walk, step: PlanStep, spot: Spot, admission: Admission): ElementState {
  const own = slotStateAt(walk.state.slots, step.index + spot.offset);
  if (step.kind === 'Task') {
    if (hasEnded(own)) return endedState(own);
    if (own !== 'Waiting') return visitSent(walk, step, spot, own);
  } else if (hasEnded(own)) {
    skipAll(walk, step, spot);
    return endedState(own);
  }
  if (admission === 'Open' && step.when !== undefined && !isAdmitted(walk, step, spot)) return 'Active';
  return failureTaken(step, visitElement(walk, step, spot, admission));
}

function failureTaken(step: PlanStep, state: ElementState): ElementState {
  return state === 'Failed' && step.onFailure === 'Continue' ? 'Continued' : state;
}

/**
 * Asks an element's condition. Where it does not hold the element's slot is to change, and until that is done nothing
 * that follows begins: it may read what the element's slot says. A condition that held is not asked again.
 */
function isAdmitted(walk: Walk, step: PlanStep, spot: Spot): boolean {
  const at = step.index + spot.offset;
  if (walk.state.cancelled !== '' || walk.state.admitted.has(at)) return true;
  if (walk.changes.length >= mostChanges) return false;
  const judgement = walk.judge(step, spot.member, walk.states);
  if (judgement === 'Holds') walk.state.admitted.add(at);
  else if (judgement === 'Fails') walk.changes.push({ at, to: 'PassedOver' });
  else walk.changes.push({ at, to: 'Failed', error: judgement.error });
  return judgement === 'Holds';
}

/** Nothing within an element that ended before it began is ever run, nor are the handlers of what lies within. */
function skipAll(walk: Walk, step: PlanStep, spot: Spot): void {
  if (step.kind === 'Map') return;
  for (const index of membersOf(step)) {
    const member = stepAt(walk.plan, index);
    for (const each of [index, ...member.links, ...member.linkErrors]) walk.states[each + spot.offset] = 'Skipped';
    skipAll(walk, member, spot);
  }
}

function visitElement(walk: Walk, step: PlanStep, spot: Spot, admission: Admission): ElementState {
  switch (step.kind) {
    case 'Task':
      return visitWaiting(walk, step, spot, admission);
    case 'Chain':
      return visitChain(walk, step, spot, admission);
    case 'Group':
      return visitSideBySide(walk, step.members, spot, admission) ?? emptyState(admission);
    case 'Chord':
      return visitChord(walk, step, spot, admission);
    case 'Map':
      return visitMap(walk, step, admission);
  }
}

function visitWaiting(walk: Walk, step: TaskStep, spot: Spot, admission: Admission): ElementState {
  if (admission === 'Barred') return 'Skipped';
  if (admission === 'Closed') return 'Waiting';
  if (walk.state.cancelled !== '' && step.role === 'Member') return 'Cancelled';
  const at = step.index + spot.offset;
  const dueAt = firstDueTicks(walk, step, at);
  if (dueAt > walk.nowTicks || countsFromDue(step)) {
    const dueTicks = Math.max(dueAt, walk.nowTicks);
    if (walk.changes.length < mostChanges) walk.changes.push({ at, to: 'Scheduled', dueTicks });
    return 'Active';
  }
  addDue(walk, step.index, at);
  return 'Active';
}

/** Countdown and eta are for the first attempt of a round; later ones have waited already. */
function firstDueTicks({ state, nowTicks }: Walk, { countdownMs, etaMs }: TaskStep, at: number): number {
  const hasBegun = (state.slots[at * slotBytes + 2] ?? 0) + (state.slots[at * slotBytes + 3] ?? 0) > 0;
  if (hasBegun) return 0;
  if (countdownMs !== undefined) return nowTicks + Math.ceil(countdownMs / tickMs);
  return etaMs === undefined ? 0 : dueTicks(state.begunAtMs, etaMs);
}

function addDue(walk: Walk, step: number, at: number): void {
  const count = (walk.dueCounts.get(step) ?? 0) + 1;
  walk.dueCounts.set(step, count);
  if (count <= mostDue) walk.due.push(at);
}

function visitSent(walk: Walk, step: TaskStep, spot: Spot, own: SlotState): ElementState {
  if (own !== 'Scheduled') return 'Active';
  if (walk.state.cancelled !== '' && step.role === 'Member') return 'Cancelled';
  const at = step.index + spot.offset;
  const due = ticksAt(walk.state.slots, at);
  if (due <= walk.nowTicks) addDue(walk, step.index, at);
  else walk.nextDueTicks = Math.min(walk.nextDueTicks ?? due, due);
  return 'Active';
}

function visitChain(walk: Walk, step: ChainStep, spot: Spot, admission: Admission): ElementState {
  let next = admission;
  let verdict: ElementState | undefined;
  for (const member of step.members) {
    const state = visit(walk, member, spot, next);
    if (isDone(state)) continue;
    next = next === 'Barred' || isOver(state) ? 'Barred' : 'Closed';
    verdict ??= state;
  }
  return verdict === undefined ? emptyState(admission) : begunState(verdict, walk, step, spot);
}

/** A chain of which something is done is under way, whatever its next member waits for. */
function begunState(verdict: ElementState, walk: Walk, { members }: ChainStep, { offset }: Spot): ElementState {
  const [first = 0] = members;
  return verdict === 'Waiting' && isDone(walk.states[first + offset] ?? 'Waiting') ? 'Active' : verdict;
}

function visitChord(walk: Walk, step: ChordStep, spot: Spot, admission: Admission): ElementState {
  const header = visitSideBySide(walk, step.header, spot, admission) ?? emptyState(admission);
  const body = visit(walk, step.body, spot, admissionAfter(header));
  return isDone(header) ? (body === 'Waiting' ? 'Active' : bodyState(body)) : header;
}

/** The body's value is the chord's, also when the body was passed over or its failure does not count. */
function bodyState(body: ElementState): ElementState {
  return isDone(body) ? 'Succeeded' : body;
}

function visitMap(walk: Walk, step: MapStep, admission: Admission): ElementState {
  const unfolded = walk.state.maps.get(step.index);
  if (unfolded === undefined) {
    if (admission !== 'Open') return admission === 'Closed' ? 'Waiting' : 'Skipped';
    if (walk.state.cancelled !== '') return 'Cancelled';
    walk.unfold.push(step.index);
    return 'Active';
  }
  const fold = newFold();
  for (let member = 0; member < unfolded.count; member += 1) {
    const spot = { offset: offsetOf(walk.state.maps, step.index, member), member };
    addToFold(fold, visit(walk, step.each, spot, admission));
  }
  return foldedState(fold) ?? emptyState(admission);
}

function visitSideBySide(
  walk: Walk,
  members: readonly number[],
  spot: Spot,
  admission: Admission,
): ElementState | undefined {
  const fold = newFold();
  for (const member of members) addToFold(fold, visit(walk, member, spot, admission));
  return foldedState(fold);
}
