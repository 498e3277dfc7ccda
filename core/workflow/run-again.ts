import { limits } from '#core/base/limits.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { slotOf } from './layout.ts';
import type { RunState } from './run-state.ts';
import { makesListOfOnce, runsOnce } from './runs-once.ts';
import { readSlot } from './slots.ts';
import { ResultLost } from './value.ts';

/**
 * The slot of the task that is to run again because its result is needed and gone; undefined for any other error, in a
 * cancelled run, for a task that must not run twice or whose result others of that kind went over, and once the task has run again for it often enough.
 */
export function slotToRunAgain(
  plan: Plan,
  { slots, maps, cancelled }: Pick<RunState, 'slots' | 'maps' | 'cancelled'>,
  error: unknown,
): number | undefined {
  if (!(error instanceof ResultLost) || cancelled !== '') return undefined;
  if (runsOnce(error.step) || makesListOfOnce(plan, { maps }, error.step)) return undefined;
  const at = slotOf(plan, maps, error.step.index, error.member);
  const { state, lost } = readSlot(slots, at);
  return state === 'Succeeded' && lost < limits.lostAttempts ? at : undefined;
}
