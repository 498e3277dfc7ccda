import { nullText, stringifyJson } from '#core/base/json-text.ts';
import { membersOf } from '#core/canvas/members.ts';
import { stepAt, type PlanStep } from '#core/canvas/plan.ts';
import type { RunView } from './run-view.ts';
import type { ElementState } from './element-state.ts';
import { decodeFailure, type Failure } from './failure.ts';
import { slotOf } from './layout.ts';
import { hasEnded, slotStateAt } from './slots.ts';
import type { StepMember } from './value.ts';

/**
 * What failed within an element: the first task, in the order in which it was written, that failed, else the first that
 * was cancelled; the element itself where it failed before any of its tasks began.
 */
export function failedWithin(view: RunView, element: StepMember): StepMember | undefined {
  return firstOf(view, element, 'Failed') ?? firstOf(view, element, 'Cancelled');
}

function firstOf(view: RunView, at: StepMember, wanted: 'Failed' | 'Cancelled'): StepMember | undefined {
  const { plan, state, evaluation } = view;
  const slot = slotOf(plan, state.maps, at.step, at.member);
  const stands = evaluation.states[slot] ?? 'Waiting';
  if (!mayHold(stands, wanted)) return undefined;
  const step = stepAt(plan, at.step);
  const endedItself = step.kind === 'Task' || hasEnded(slotStateAt(state.slots, slot));
  if (endedItself) return isWanted(stands, wanted) ? at : undefined;
  return firstWithin(view, step, { member: at.member, wanted });
}

interface Wanted {
  readonly member: number;
  readonly wanted: 'Failed' | 'Cancelled';
}

function firstWithin(view: RunView, step: PlanStep, { member, wanted }: Wanted): StepMember | undefined {
  const isMap = step.kind === 'Map';
  const items = isMap ? (view.state.maps.get(step.index)?.count ?? 0) : 1;
  for (let item = 0; item < items; item += 1) {
    for (const inner of membersOf(step)) {
      const found = firstOf(view, { step: inner, member: isMap ? item : member }, wanted);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function mayHold(stands: ElementState, wanted: 'Failed' | 'Cancelled'): boolean {
  return isWanted(stands, wanted) || (wanted === 'Cancelled' && stands === 'Failed');
}

/** What was continued after its failure has failed all the same, for its own errbacks. */
function isWanted(stands: ElementState, wanted: 'Failed' | 'Cancelled'): boolean {
  return stands === wanted || (wanted === 'Failed' && stands === 'Continued');
}

/** How a task failed; one that was cancelled before it was sent says so. */
export function failureAt({ plan, state }: RunView, { step, member }: StepMember): Failure {
  const slot = slotOf(plan, state.maps, step, member);
  const kept = state.kept.get(slot);
  if (kept !== undefined && slotStateAt(state.slots, slot) !== 'Succeeded') return decodeFailure(kept);
  return {
    exc: stringifyJson({ exc_type: 'TaskRevokedError', exc_message: ['cancelled'], exc_module: 'celery.exceptions' }),
    traceback: nullText,
  };
}
