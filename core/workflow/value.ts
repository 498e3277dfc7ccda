import { nullText, type JsonText } from '#core/base/json-text.ts';
import type { Plan, PlanStep, StepInput } from '#core/canvas/plan.ts';
import type { RunState } from './run-state.ts';
import { slotStateAt } from './slots.ts';

/** A finished step's value was needed and is not among the kept results. */
export class ResultLost extends Error {
  override readonly name = 'ResultLost';
  readonly step: PlanStep;

  constructor(step: PlanStep) {
    super(`${step.path}: its result is needed and is not kept any more`);
    this.step = step;
  }
}

/**
 * The value of an element that succeeded, as text: a task's result as it was stored, a chain's last value, a chord's
 * body's, a group's list in the order in which it was written, nested as it was written.
 */
export function valueOf(plan: Plan, state: RunState, index: number): JsonText {
  const step = plan.steps[index];
  if (step === undefined) throw new RangeError(`the plan has no step ${index}`);
  switch (step.kind) {
    case 'Task':
      return taskValue(state, step);
    case 'Chain': {
      const last = step.members.at(-1);
      return last === undefined ? (inputOf(plan, state, step.input) ?? nullText) : valueOf(plan, state, last);
    }
    case 'Group':
      return listOf(plan, state, step.members);
    case 'Chord':
      return valueOf(plan, state, step.body);
  }
}

/** What comes in; undefined where nothing does, so that nothing is prepended. */
export function inputOf(plan: Plan, state: RunState, input: StepInput): JsonText | undefined {
  switch (input.from) {
    case 'Nothing':
      return undefined;
    case 'Step':
      return valueOf(plan, state, input.step);
    case 'Header': {
      const chord = plan.steps[input.chord];
      if (chord?.kind !== 'Chord') throw new RangeError(`step ${input.chord} is not a chord`);
      return listOf(plan, state, chord.header);
    }
  }
}

function listOf(plan: Plan, state: RunState, members: readonly number[]): JsonText {
  return `[${members.map((member) => valueOf(plan, state, member)).join(', ')}]` as JsonText;
}

function taskValue(state: RunState, step: PlanStep): JsonText {
  if (slotStateAt(state.slots, step.index) === 'Continued') return nullText;
  const kept = state.kept.get(step.index);
  if (kept === undefined) throw new ResultLost(step);
  return kept;
}
