import type { RunOutcome } from './call.ts';
import { endingOf } from './ending.ts';
import type { RunView } from './run-view.ts';
import { forEachSlot } from './layout.ts';
import { endedTaskId, type RunIdentity } from './message.ts';
import { hasEnded, readSlot, slotStateAt } from './slots.ts';

/** At most so many ids of failed tasks are told to `finally`. */
const toldFailures = 100;

/** How a run ended, once its root has; before that, what would be said of it now. */
export function outcomeOf(run: RunIdentity, view: RunView): RunOutcome {
  const { cancelled } = view.state;
  const root = view.evaluation.states[0] ?? 'Waiting';
  const ending = endingOf(root, cancelled);
  return { ...ending, failed: ending.state === 'Succeeded' ? [] : failedIds(run, view) };
}

/**
 * Ids of what failed in the canvas, in the order in which it was written: of tasks, and of elements that failed before any
 * of their tasks began.
 */
function failedIds(run: RunIdentity, { plan, state, evaluation }: RunView): readonly string[] {
  const ids: string[] = [];
  forEachSlot(plan, state.maps, (step, member, at) => {
    if (ids.length >= toldFailures || step.role !== 'Member' || evaluation.states[at] !== 'Failed') return;
    if (step.kind !== 'Task' && !hasEnded(slotStateAt(state.slots, at))) return;
    ids.push(endedTaskId(run, { step: step.index, member }, readSlot(state.slots, at)));
  });
  return ids;
}
