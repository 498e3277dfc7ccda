import { conditionHolds } from '#core/expressions/condition.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { isDone } from './element-state.ts';
import type { Judge, Judgement } from './evaluation.ts';
import { slotOf } from './layout.ts';
import { slotToRunAgain } from './run-again.ts';
import type { RunState } from './run-state.ts';
import { failureOfValue } from './value-failure.ts';
import { inputOf, valueOf } from './value.ts';

/** What a condition may know of the run itself. */
export interface RunFacts {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

/** Judges the conditions of a plan's elements by what has ended before them. */
export function judgeOf(plan: Plan, state: RunState, run: RunFacts): Judge {
  return (step, member, states): Judgement => {
    const { when } = step;
    if (when === undefined) return 'Holds';
    const stateOf = (name: string) =>
      states[slotOf(plan, state.maps, stepNamed(when.steps, name), member)] ?? 'Waiting';
    try {
      const judged = conditionHolds(when.condition, {
        result: when.condition.usesResult ? inputOf(plan, state, { step: step.index, member }) : undefined,
        // That it was continued is for what follows it; of itself it failed.
        stepState: (name) => (stateOf(name) === 'Continued' ? 'Failed' : stateOf(name)),
        stepResult: (name) =>
          isDone(stateOf(name)) ? valueOf(plan, state, { step: stepNamed(when.steps, name), member }) : undefined,
        run,
      });
      if (!judged.ok) return { error: judged.error };
      return judged.value ? 'Holds' : 'Fails';
    } catch (error) {
      const runAgain = slotToRunAgain(plan, state, error);
      if (runAgain !== undefined) return { runAgain };
      if (failureOfValue(error) === undefined) throw error;
      return { error: (error as Error).message };
    }
  };
}

function stepNamed(steps: ReadonlyMap<string, number>, name: string): number {
  const step = steps.get(name);
  if (step === undefined) throw new RangeError(`the condition names no step ${name}`);
  return step;
}
