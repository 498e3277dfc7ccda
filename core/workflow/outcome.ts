import type { RunOutcome } from './call.ts';
import type { RunView } from './run-view.ts';
import { forEachTaskSlot } from './layout.ts';
import { endedTaskId, type RunIdentity } from './message.ts';
import { readSlot } from './slots.ts';

/** At most so many ids of failed tasks are told to `finally`. */
const toldFailures = 100;

/** How a run ended, once its root has; before that, what would be said of it now. */
export function outcomeOf(run: RunIdentity, view: RunView): RunOutcome {
  const { cancelled } = view.state;
  const root = view.evaluation.states[0] ?? 'Waiting';
  if (root === 'Succeeded' || root === 'PassedOver') return { state: 'Succeeded', reason: 'Succeeded', failed: [] };
  const failed = failedIds(run, view);
  if (cancelled === 'DeadlineExceeded') return { state: 'Failed', reason: cancelled, failed };
  const state = root === 'Cancelled' || cancelled === 'Cancelled' ? 'Cancelled' : 'Failed';
  return { state, reason: state, failed };
}

/** Ids of the tasks of the canvas that failed, in the order in which they were written. */
function failedIds(run: RunIdentity, { plan, state, evaluation }: RunView): readonly string[] {
  const ids: string[] = [];
  forEachTaskSlot(plan, state.maps, (step, member, at) => {
    if (ids.length >= toldFailures || step.role !== 'Member' || evaluation.states[at] !== 'Failed') return;
    ids.push(endedTaskId(run, { step: step.index, member }, readSlot(state.slots, at)));
  });
  return ids;
}
