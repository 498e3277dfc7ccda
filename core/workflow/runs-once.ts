import { membersOf } from '#core/canvas/members.ts';
import { stepAt, type MapStep, type Plan, type PlanStep } from '#core/canvas/plan.ts';
import type { RunState } from './run-state.ts';

/** Its author said, by `retry.onLost: Fail`, that it must not run twice: a result of it that is lost is not made again. */
export function runsOnce(step: PlanStep): boolean {
  return step.kind === 'Task' && step.retry?.onLost === 'Fail';
}

/** Whether such a task is in a map, whose list therefore stands once it has begun: of another list, all members would run. */
export function holdsOnce({ steps }: Plan, { each, width }: MapStep): boolean {
  return steps.slice(each, each + width).some(runsOnce);
}

/** Whether the list of such a map that has begun is made of what this step makes. */
export function makesListOfOnce(plan: Plan, { maps }: Pick<RunState, 'maps'>, step: PlanStep): boolean {
  return [...maps.keys()].some((index) => {
    const map = stepAt(plan, index);
    if (map.kind !== 'Map' || map.over.from !== 'Input' || !holdsOnce(plan, map)) return false;
    return inputsOf(plan, map).some((input) => isWithin(plan, step.index, input));
  });
}

function inputsOf(plan: Plan, { input }: MapStep): readonly number[] {
  if (input.from === 'Step') return [input.step];
  return input.from === 'Header' ? membersOf(stepAt(plan, input.chord)) : [];
}

function isWithin(plan: Plan, step: number, element: number): boolean {
  return step === element || membersOf(stepAt(plan, element)).some((inner) => isWithin(plan, step, inner));
}
