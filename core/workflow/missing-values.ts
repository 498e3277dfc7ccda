import { membersOf } from '#core/canvas/members.ts';
import { limits } from '#core/base/limits.ts';
import { stepAt, type Argument, type MapStep, type Plan, type PlanStep, type TaskStep } from '#core/canvas/plan.ts';
import { isOver } from './element-state.ts';
import { evaluate } from './evaluate.ts';
import type { Evaluation } from './evaluation.ts';
import { forEachTaskSlot, slotOf } from './layout.ts';
import type { RunState } from './run-state.ts';
import { holdsOnce, runsOnce } from './runs-once.ts';
import { isInFlight, readSlot, slotStateAt } from './slots.ts';

/** What must run again because something that has not ended needs its value, and the value is gone. */
export interface MissingValues {
  /** Slots of finished tasks. */
  readonly again: ReadonlySet<number>;
  /** Maps whose list is made anew: nobody knows yet how many items it will have. */
  readonly folded: ReadonlySet<number>;
  /** Slots of tasks that were sent although what they were called with is not known any more. */
  readonly callLost: ReadonlySet<number>;
}

export interface MissingContext {
  readonly nowTicks: number;
  /**
   * Of the round that goes on: what is on its way has been called, and needs nothing; and a result that was lost often
   * enough is given up. That of a task that runs once is given up in any case.
   */
  readonly isSameRound: boolean;
}

interface Search {
  readonly plan: Plan;
  readonly state: RunState;
  readonly isSameRound: boolean;
  /** By slot, where each element stands. */
  readonly states: Evaluation['states'];
  readonly again: Set<number>;
  readonly folded: Set<number>;
  /** By slot of an element whose value was asked for: whether it is there. */
  readonly answers: Map<number, boolean>;
}

/** Finds them for the run as it stands; what runs again may need more, so ask once more after it was reset. */
export function missingValues(plan: Plan, state: RunState, { nowTicks, isSameRound }: MissingContext): MissingValues {
  // What a condition says does not matter here: what may run is taken for what will.
  const { states, stage } = evaluate(plan, state, { nowTicks, judge: () => 'Holds' });
  const found = { again: new Set<number>(), folded: new Set<number>(), answers: new Map<number, boolean>() };
  const search: Search = { plan, state, isSameRound, states, ...found };
  const callLost = new Set<number>();
  // The final result is needed until the run has ended, when it was told.
  if (stage !== 'Ended') hasValue(search, 0, 0);
  forEachTaskSlot(plan, state.maps, (step, member, at) => {
    const own = slotStateAt(state.slots, at);
    if (isOver(states[at] ?? 'Waiting') || (isSameRound && isInFlight(own)) || hasCall(search, step, member)) return;
    if (own !== 'Waiting') callLost.add(at);
  });
  for (const step of plan.steps) {
    if (step.map !== -1 && !state.maps.has(step.map)) askFolded(search, step);
    else if (step.kind !== 'Task') askElement(search, step);
  }
  return { again: search.again, folded: search.folded, callLost };
}

/** What a composite needs that has not ended: what its condition asks for, and a map its list. */
function askElement(search: Search, step: PlanStep): void {
  const { plan, state, states } = search;
  const members = step.map === -1 ? 1 : (state.maps.get(step.map)?.count ?? 0);
  for (let member = 0; member < members; member += 1) {
    if (isOver(states[slotOf(plan, state.maps, step.index, member)] ?? 'Waiting')) continue;
    hasCondition(search, step, member);
    if (step.kind === 'Map' && !state.maps.has(step.index) && takesInput(step)) hasInput(search, step, member);
  }
}

/** What the members of a map will need that has not begun: within it nothing has ended, but they may name what lies outside. */
function askFolded(search: Search, step: PlanStep): void {
  if (isOver(search.states[step.map] ?? 'Waiting')) return;
  const named = step.kind === 'Task' ? namedIn([...step.args, step.kwargs]) : [];
  for (const each of [...named, ...(step.when?.steps.values() ?? [])]) {
    if (stepAt(search.plan, each).map === -1) hasValue(search, each, 0);
  }
}

/** Whether the value of an element is there; where it is not, what makes it is noted. */
function hasValue(search: Search, index: number, member: number): boolean {
  const { plan, state, answers } = search;
  const at = slotOf(plan, state.maps, index, member);
  const known = answers.get(at);
  if (known !== undefined) return known;
  const found = findValue(search, stepAt(plan, index), { member, at });
  answers.set(at, found);
  return found;
}

/** What failed, was cancelled or skipped never has a value, so nothing is missing. */
function findValue(search: Search, step: PlanStep, { member, at }: { member: number; at: number }): boolean {
  const stands = search.states[at] ?? 'Waiting';
  if (stands === 'PassedOver') return hasInput(search, step, member);
  if (isOver(stands) && stands !== 'Succeeded') return true;
  // One that may yet be passed over has the value that comes in.
  const inputThere = stands === 'Succeeded' || step.when === undefined || hasInput(search, step, member);
  return hasOwnValue(search, step, member) && inputThere;
}

function hasOwnValue(search: Search, step: PlanStep, member: number): boolean {
  switch (step.kind) {
    case 'Task':
      return hasResult(search, step, member);
    case 'Chain': {
      const last = step.members.at(-1);
      return last === undefined ? hasInput(search, step, member) : hasValue(search, last, member);
    }
    case 'Chord':
      return hasValue(search, step.body, member);
    case 'Group':
      return areThere(membersOf(step), (each) => hasValue(search, each, member));
    case 'Map':
      return hasMapValue(search, step);
  }
}

function hasResult(search: Search, step: TaskStep, member: number): boolean {
  const { plan, state, again, isSameRound } = search;
  const at = slotOf(plan, state.maps, step.index, member);
  const slot = readSlot(state.slots, at);
  if (slot.state !== 'Succeeded') return false;
  const isGivenUp = runsOnce(step) || (isSameRound && slot.lost >= limits.lostAttempts);
  if (state.kept.get(at) !== undefined || isGivenUp) return true;
  again.add(at);
  hasCall(search, step, member);
  return false;
}

function hasMapValue(search: Search, map: MapStep): boolean {
  const unfolded = search.state.maps.get(map.index);
  if (unfolded === undefined) return false;
  let lacking = 0;
  for (let member = 0; member < unfolded.count; member += 1) if (!hasValue(search, map.each, member)) lacking += 1;
  return lacking === 0;
}

/** Whether all that a task is called with is there. An errback is told of a failure, whatever became of the values. */
function hasCall(search: Search, step: TaskStep, member: number): boolean {
  const inputThere = step.role === 'LinkError' || !takesInput(step) || hasInput(search, step, member);
  const namedThere = areThere(namedIn([...step.args, step.kwargs]), (each) => hasValue(search, each, member));
  return hasCondition(search, step, member) && inputThere && namedThere;
}

function takesInput(step: TaskStep | MapStep): boolean {
  if (step.kind === 'Map') return step.over.from === 'Input';
  return !step.immutable;
}

function hasCondition(search: Search, step: PlanStep, member: number): boolean {
  const { when } = step;
  if (when === undefined) return true;
  const inputThere = !when.condition.usesResult || hasInput(search, step, member);
  return areThere([...when.steps.values()], (each) => hasValue(search, each, member)) && inputThere;
}

function namedIn(args: readonly Argument[]): readonly number[] {
  return args.flatMap((argument) =>
    typeof argument === 'string' ? [] : argument.flatMap((part) => (typeof part === 'string' ? [] : [part.step])),
  );
}

function hasInput(search: Search, { input }: PlanStep, member: number): boolean {
  const { plan } = search;
  switch (input.from) {
    case 'Nothing':
      return true;
    case 'Step':
      return hasValue(search, input.step, member);
    case 'Header': {
      const chord = stepAt(plan, input.chord);
      return chord.kind !== 'Chord' || areThere(chord.header, (each) => hasValue(search, each, member));
    }
    case 'Item': {
      const map = stepAt(plan, input.map);
      if (map.kind !== 'Map' || !takesInput(map) || holdsOnce(plan, map) || hasInput(search, map, 0)) return true;
      search.folded.add(map.index);
      return false;
    }
  }
}

/** Asks for each of them, so that all that is gone is noted. */
function areThere<T>(all: readonly T[], isThere: (each: T) => boolean): boolean {
  return all.filter((each) => !isThere(each)).length === 0;
}
