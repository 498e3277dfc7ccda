import { membersOf } from '#core/canvas/members.ts';
import { stepAt, type PlanStep } from '#core/canvas/plan.ts';
import type { RunHead } from './advance.ts';
import type { RunView } from './run-view.ts';
import { isDone, type ElementState } from './element-state.ts';
import { slotOf } from './layout.ts';
import { slotBytes, slotStateAt, type Slots } from './slots.ts';
import type { StepMember } from './value.ts';

/**
 * When a further round begins: a tick after all that has happened, so that the time of an end alone tells of which round it
 * is; what ended in this very tick ended in the round before.
 */
export function nextRoundAt({ roundsAt }: Pick<RunHead, 'roundsAt'>, nowTicks: number): number {
  return Math.max(nowTicks, roundsAt.at(-1) ?? 0) + 1;
}

/**
 * The slots with which a further round of a run begins that has ended: what failed, was lost or was cancelled waits again,
 * and so do the handlers of every element that is run again, and `finally`. What succeeded stands.
 */
export function newRoundSlots(view: RunView): Slots {
  const slots = view.state.slots.slice();
  renew({ view, slots, held: new Map() }, { step: 0, member: 0 });
  for (const step of view.plan.finally) clear(view, slots, { step, member: 0 });
  return slots;
}

interface Renewal {
  readonly view: RunView;
  readonly slots: Slots;
  /** By slot of an element: whether a cancel ended something within it. */
  readonly held: Map<number, boolean>;
}

function renew(renewal: Renewal, at: StepMember): void {
  const { view, slots } = renewal;
  const step = stepAt(view.plan, at.step);
  const wasCancelled = view.state.cancelled !== '' && holdsCancelled(renewal, step, at.member);
  if (isDone(stateAt(view, at)) && !wasCancelled) return;
  const own = slotStateAt(view.state.slots, slotOf(view.plan, view.state.maps, at.step, at.member));
  if (step.kind === 'Task' || own === 'Failed' || own === 'Cancelled' || own === 'Lost') clear(view, slots, at);
  for (const handler of [...step.links, ...step.linkErrors]) clear(view, slots, { step: handler, member: at.member });
  for (const inner of innerOf(view, step, at.member)) renew(renewal, inner);
}

/** What holds an element whose failure does not count is done, also where a cancel ended some of it. */
function holdsCancelled(renewal: Renewal, step: PlanStep, member: number): boolean {
  if (step.kind === 'Task') return false;
  const { view, held } = renewal;
  const at = slotOf(view.plan, view.state.maps, step.index, member);
  const known = held.get(at);
  if (known !== undefined) return known;
  const holds = innerOf(view, step, member).some((inner) => {
    const stands = stateAt(view, inner);
    return stands === 'Cancelled' || holdsCancelled(renewal, stepAt(view.plan, inner.step), inner.member);
  });
  held.set(at, holds);
  return holds;
}

/** What an element consists of; a map that has not begun has no members yet. */
function innerOf({ state }: RunView, step: PlanStep, member: number): readonly StepMember[] {
  if (step.kind !== 'Map') return membersOf(step).map((inner) => ({ step: inner, member }));
  const count = state.maps.get(step.index)?.count ?? 0;
  return Array.from({ length: count }, (_, item) => ({ step: step.each, member: item }));
}

function stateAt({ plan, state, evaluation }: RunView, { step, member }: StepMember): ElementState {
  return evaluation.states[slotOf(plan, state.maps, step, member)] ?? 'Waiting';
}

function clear({ plan, state }: RunView, slots: Slots, { step, member }: StepMember): void {
  const at = slotOf(plan, state.maps, step, member) * slotBytes;
  slots.fill(0, at, at + slotBytes);
}
