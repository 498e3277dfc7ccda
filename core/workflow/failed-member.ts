import { nullText, stringifyJson } from '#core/base/json-text.ts';
import { membersOf } from '#core/canvas/members.ts';
import { stepAt, type PlanStep } from '#core/canvas/plan.ts';
import type { RunView } from './run-view.ts';
import { decodeFailure, type Failure } from './failure.ts';
import { slotOf } from './layout.ts';
import { hasEnded, slotStateAt } from './slots.ts';
import type { StepMember } from './value.ts';

/**
 * What failed within an element: the first task, in the order in which it was written, that failed, else the first that
 * was cancelled; the element itself where it ended before any of its tasks began.
 */
export function failedWithin(view: RunView, element: StepMember): StepMember {
  return firstIn(view, element, 'Failed') ?? firstIn(view, element, 'Cancelled') ?? element;
}

/** In an element that is known to have failed, itself or within; that it was continued is for what follows it. */
function firstIn(view: RunView, at: StepMember, wanted: 'Failed' | 'Cancelled'): StepMember | undefined {
  const { plan, state, evaluation } = view;
  const slot = slotOf(plan, state.maps, at.step, at.member);
  const step = stepAt(plan, at.step);
  const endedItself = step.kind === 'Task' || hasEnded(slotStateAt(state.slots, slot));
  if (!endedItself) return firstWithin(view, step, { member: at.member, wanted });
  const isCancelled = evaluation.states[slot] === 'Cancelled';
  return isCancelled === (wanted === 'Cancelled') ? at : undefined;
}

/** The same of a member of it: one whose failure does not count is not why its element failed. */
function firstOf(view: RunView, at: StepMember, wanted: 'Failed' | 'Cancelled'): StepMember | undefined {
  const { plan, state, evaluation } = view;
  const stands = evaluation.states[slotOf(plan, state.maps, at.step, at.member)] ?? 'Waiting';
  if (stands !== wanted && !(wanted === 'Cancelled' && stands === 'Failed')) return undefined;
  return firstIn(view, at, wanted);
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
