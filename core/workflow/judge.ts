import { conditionHolds } from '#core/expressions/condition.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { isDone } from './element-state.ts';
import type { Judge, Judgement } from './evaluation.ts';
import { NotAList } from './items.ts';
import { slotOf } from './layout.ts';
import type { RunState } from './run-state.ts';
import { inputOf, ResultLost, valueOf } from './value.ts';

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
    const attempted = guarded(() =>
      conditionHolds(when.condition, {
        result: when.condition.usesResult ? inputOf(plan, state, { step: step.index, member }) : undefined,
        // That it was continued is for what follows it; of itself it failed.
        stepState: (name) => (stateOf(name) === 'Continued' ? 'Failed' : stateOf(name)),
        stepResult: (name) =>
          isDone(stateOf(name)) ? valueOf(plan, state, { step: stepNamed(when.steps, name), member }) : undefined,
        run,
      }),
    );
    if (!attempted.ok) return { error: attempted.error };
    return attempted.value ? 'Holds' : 'Fails';
  };
}

function stepNamed(steps: ReadonlyMap<string, number>, name: string): number {
  const step = steps.get(name);
  if (step === undefined) throw new RangeError(`the condition names no step ${name}`);
  return step;
}

function guarded(judge: () => ReturnType<typeof conditionHolds>): ReturnType<typeof conditionHolds> {
  try {
    return judge();
  } catch (error) {
    if (error instanceof ResultLost || error instanceof NotAList) return { ok: false, error: error.message };
    throw error;
  }
}
