import type { ChainStep, ChordStep, GroupStep, Plan, PlanStep, TaskStep } from '#core/canvas/plan.ts';
import { hasEnded, slotStateAt, type Slots } from './slots.ts';

/** Where an element stands. `Skipped`: something before it failed, so it never runs. */
export type ElementState = 'Waiting' | 'Active' | 'Succeeded' | 'Failed' | 'Cancelled' | 'Skipped';

/** Whether an element may begin: what it needs is still open, is there, or will never be. */
type Admission = 'Closed' | 'Open' | 'Barred';

/** What follows from the slots of a run, computed anew each time: nothing here is stored. */
export interface Evaluation {
  /** By step, composites and handlers included. */
  readonly states: readonly ElementState[];
  /** Tasks that may be published now, in pre-order. */
  readonly due: readonly number[];
  /** `Running` until the root has ended, `Finalizing` until handlers and `finally` have, then `Ended`. */
  readonly stage: 'Running' | 'Finalizing' | 'Ended';
}

interface Walk {
  readonly plan: Plan;
  readonly slots: Slots;
  readonly states: ElementState[];
  readonly due: number[];
  /** After a cancel nothing of the canvas begins; handlers and `finally` still do. */
  readonly cancelled: boolean;
}

/**
 * The one rule: a step whose needs succeeded is due, one whose need failed is skipped. A composite ends when all its
 * members have ended, so that its errback is called once and when no member can still act.
 */
export function evaluate(plan: Plan, slots: Slots, cancelled: boolean): Evaluation {
  const walk: Walk = { plan, slots, cancelled, states: new Array<ElementState>(plan.steps.length), due: [] };
  const root = visit(walk, 0, 'Open');
  const rootEnded = isOver(root);
  const handlersEnded =
    rootEnded && plan.steps.every((step) => step.role === 'Member' || isOver(stateOf(walk, step.index), step));
  let stage: Evaluation['stage'] = rootEnded ? 'Finalizing' : 'Running';
  let finished = handlersEnded;
  for (const step of plan.finally) finished = isOver(visit(walk, step, handlersEnded ? 'Open' : 'Closed')) && finished;
  if (finished) stage = 'Ended';
  return { states: walk.states, due: walk.due, stage };
}

function stateOf(walk: Walk, index: number): ElementState {
  return walk.states[index] ?? 'Waiting';
}

/** `finally` is looked at after the handlers, so it does not hold them up. */
function isOver(state: ElementState, step?: PlanStep): boolean {
  return step?.role === 'Finally' || (state !== 'Waiting' && state !== 'Active');
}

function stepAt(walk: Walk, index: number): PlanStep {
  const step = walk.plan.steps[index];
  if (step === undefined)
    throw new RangeError(`the plan has ${walk.plan.steps.length} steps and none of index ${index}`);
  return step;
}

function visit(walk: Walk, index: number, admission: Admission): ElementState {
  const step = stepAt(walk, index);
  const state = visitElement(walk, step, admission);
  walk.states[index] = state;
  for (const link of step.links) visit(walk, link, admissionOfLink(state));
  for (const errback of step.linkErrors) visit(walk, errback, admissionOfErrback(state));
  return state;
}

function visitElement(walk: Walk, step: PlanStep, admission: Admission): ElementState {
  switch (step.kind) {
    case 'Task':
      return visitTask(walk, step, admission);
    case 'Chain':
      return visitChain(walk, step, admission);
    case 'Group':
      return visitGroup(walk, step, admission);
    case 'Chord':
      return visitChord(walk, step, admission);
  }
}

function visitTask(walk: Walk, step: TaskStep, admission: Admission): ElementState {
  const state = slotStateAt(walk.slots, step.index);
  if (hasEnded(state)) return endedState(state);
  if (state !== 'Waiting') return 'Active';
  if (admission === 'Barred') return 'Skipped';
  if (admission === 'Closed') return 'Waiting';
  if (walk.cancelled && step.role === 'Member') return 'Cancelled';
  walk.due.push(step.index);
  return 'Active';
}

function endedState(state: ReturnType<typeof slotStateAt>): ElementState {
  switch (state) {
    case 'Succeeded':
    case 'PassedOver':
    case 'Continued':
      return 'Succeeded';
    case 'Cancelled':
      return 'Cancelled';
    default:
      return 'Failed';
  }
}

function visitChain(walk: Walk, step: ChainStep, admission: Admission): ElementState {
  let next = admission;
  let verdict: ElementState | undefined;
  for (const member of step.members) {
    const state = visit(walk, member, next);
    if (state === 'Succeeded') continue;
    next = next === 'Barred' || isOver(state) ? 'Barred' : 'Closed';
    verdict ??= state;
  }
  return verdict ?? emptyState(admission);
}

function visitGroup(walk: Walk, step: GroupStep, admission: Admission): ElementState {
  return visitSideBySide(walk, step.members, admission) ?? emptyState(admission);
}

function visitChord(walk: Walk, step: ChordStep, admission: Admission): ElementState {
  const header = visitSideBySide(walk, step.header, admission) ?? emptyState(admission);
  const body = visit(walk, step.body, admissionAfter(header));
  return header === 'Succeeded' ? (body === 'Waiting' ? 'Active' : body) : header;
}

/** From what says least about the whole to what says most: the state of the whole is the last of these that a member has. */
const weights: Readonly<Record<ElementState, number>> = {
  Succeeded: 0,
  Skipped: 1,
  Cancelled: 2,
  Failed: 3,
  Active: 4,
  Waiting: 5,
};

/** The state of members that run side by side; undefined when all succeeded. Wide: 100,000 of them are one loop. */
function visitSideBySide(walk: Walk, members: readonly number[], admission: Admission): ElementState | undefined {
  let worst: ElementState = 'Succeeded';
  let waiting = 0;
  for (const member of members) {
    const state = visit(walk, member, admission);
    if (state === 'Waiting') waiting += 1;
    if (weights[state] > weights[worst]) worst = state;
  }
  if (worst === 'Succeeded') return undefined;
  return worst === 'Waiting' && waiting < members.length ? 'Active' : worst;
}

function emptyState(admission: Admission): ElementState {
  return admission === 'Open' ? 'Succeeded' : admission === 'Closed' ? 'Waiting' : 'Skipped';
}

function admissionAfter(state: ElementState): Admission {
  if (state === 'Succeeded') return 'Open';
  return isOver(state) ? 'Barred' : 'Closed';
}

function admissionOfLink(state: ElementState): Admission {
  return admissionAfter(state);
}

/** Errbacks are called for what failed or was cancelled, never for what something else's failure kept from running. */
function admissionOfErrback(state: ElementState): Admission {
  if (state === 'Failed' || state === 'Cancelled') return 'Open';
  return isOver(state) ? 'Barred' : 'Closed';
}
