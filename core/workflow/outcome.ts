import type { Plan } from '#core/canvas/plan.ts';
import type { RunOutcome, RunView } from './call.ts';
import { taskIdOf, type RunIdentity } from './message.ts';
import { readSlot } from './slots.ts';

/** At most so many ids of failed tasks are told to `finally`. */
const toldFailures = 100;

/** How a run ended, once its root has; before that, what would be said of it now. */
export function outcomeOf(run: RunIdentity, view: RunView): RunOutcome {
  const root = view.evaluation.states[0];
  const state = root === 'Succeeded' ? 'Succeeded' : root === 'Cancelled' ? 'Cancelled' : 'Failed';
  return { state, reason: state, failed: state === 'Succeeded' ? [] : failedIds(run, view) };
}

function failedIds(run: RunIdentity, view: RunView): readonly string[] {
  const failed = failedMembers(view.plan, view).slice(0, toldFailures);
  return failed.map((step) => taskIdOf(run, step, readSlot(view.state.slots, step).attempt));
}

/** Tasks of the canvas that failed, in the order in which they were written. */
export function failedMembers(plan: Plan, view: Pick<RunView, 'evaluation'>): readonly number[] {
  return plan.steps
    .filter((step) => step.kind === 'Task' && step.role === 'Member' && view.evaluation.states[step.index] === 'Failed')
    .map((step) => step.index);
}
