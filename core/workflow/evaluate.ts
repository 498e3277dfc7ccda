import { alikeOf } from '#core/canvas/alike.ts';
import { membersOf } from '#core/canvas/members.ts';
import { stepAt, type ChainStep, type ChordStep, type MapStep, type Plan, type PlanStep } from '#core/canvas/plan.ts';
import { admissionAfter, admissionOfErrback, admissionOfLink, emptyState, type Admission } from './admission.ts';
import { DueTasks } from './due-tasks.ts';
import {
  addToFold,
  endedState,
  failedAs,
  foldedState,
  isDone,
  isOver,
  newFold,
  type ElementState,
  type Fold,
} from './element-state.ts';
import type { Evaluation, EvaluationContext } from './evaluation.ts';
import { offsetOf, slotCount } from './layout.ts';
import type { RunState } from './run-state.ts';
import { hasEnded, slotStateAt } from './slots.ts';
import { foldPlain, isPlain, visitTask } from './visit-task.ts';
import { holdMap, visitRow, type Row } from './visit-row.ts';
import { mostChanges, type Walk } from './walk.ts';

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
  const count = slotCount(plan, state.maps);
  const walk: Walk = {
    ...context,
    ...{ plan, state, alike: alikeOf(plan), due: new DueTasks(), changes: [], unfold: [], runAgain: [] },
    states: context.blocks?.statesOf(count) ?? new Array<ElementState>(count),
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
  const { states, due, changes, unfold, runAgain, nextDueTicks } = walk;
  return { states, due: due.slots, dueCounts: due.counts(), changes, unfold, runAgain, nextDueTicks, stage };
}

function visit(walk: Walk, index: number, spot: Spot, admission: Admission): ElementState {
  const step = stepAt(walk.plan, index);
  const at = index + spot.offset;
  if (isPlain(step)) return (walk.states[at] = visitTask(walk, step, at, admission));
  const state = visitAdmitted(walk, step, spot, admission);
  walk.states[at] = state;
  if (step.role !== 'Member' && step.role !== 'Finally' && !isOver(state)) walk.openHandlers += 1;
  for (const link of step.links) visit(walk, link, spot, admissionOfLink(state));
  for (const errback of step.linkErrors) visit(walk, errback, spot, admissionOfErrback(state));
  return state;
}

/** An element that ended before it began has that in its own slot; else its condition is asked when it may begin. */
function visitAdmitted(walk: Walk, step: PlanStep, spot: Spot, admission: Admission): ElementState {
  const at = step.index + spot.offset;
  const own = slotStateAt(walk.state.slots, at);
  if (step.kind === 'Task') {
    if (own !== 'Waiting') return visitTask(walk, step, at, admission);
  } else if (hasEnded(own)) {
    skipAll(walk, step, spot);
    return endedState(own);
  }
  if (admission === 'Open' && step.when !== undefined && !isAdmitted(walk, step, spot)) return 'Active';
  return failureTaken(step, visitElement(walk, step, spot, admission));
}

function failureTaken(step: PlanStep, state: ElementState): ElementState {
  return state === 'Failed' ? failedAs(step) : state;
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
  else if ('runAgain' in judgement) walk.runAgain.push(judgement.runAgain);
  else walk.changes.push({ at, to: failedAs(step), error: judgement.error });
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
      return visitTask(walk, step, step.index + spot.offset, admission);
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
  const { base, count, width } = unfolded;
  const row: Row = {
    count,
    slotOf: (member) => base + member * width,
    look: (within, first, end) => visitItems(within, step, { first, end, admission }),
  };
  return foldedState(visitRow(walk, row, admission)) ?? emptyState(admission);
}

interface Items {
  readonly first: number;
  readonly end: number;
  readonly admission: Admission;
}

function visitItems(walk: Walk, step: MapStep, { first, end, admission }: Items): Fold {
  const each = stepAt(walk.plan, step.each);
  const at = offsetOf(walk.state.maps, step.index, first);
  if (isPlain(each)) return foldPlain(walk, each, { base: step.each + at, count: end - first, admission });
  const fold = newFold();
  for (let member = first; member < end; member += 1) {
    const spot = { offset: offsetOf(walk.state.maps, step.index, member), member };
    addToFold(fold, visit(walk, step.each, spot, admission));
  }
  return fold;
}

function visitSideBySide(
  walk: Walk,
  members: readonly number[],
  spot: Spot,
  admission: Admission,
): ElementState | undefined {
  const row: Row = {
    count: members.length,
    slotOf: (member) => (members[member] ?? 0) + spot.offset,
    look: (within, first, end) => {
      const fold = newFold();
      for (let at = first; at < end; at += 1) addToFold(fold, visit(within, members[at] ?? 0, spot, admission));
      return fold;
    },
  };
  const isWide = walk.blocks !== undefined && members.length > walk.blocks.members;
  const fold = isWide && !holdMap(walk.plan, members) ? visitRow(walk, row, admission) : row.look(walk, 0, row.count);
  return foldedState(fold);
}
