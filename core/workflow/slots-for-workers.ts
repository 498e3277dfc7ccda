import type { HandlerStatus, StepStatus } from '#core/resources/workflow-status.ts';
import type { RunState } from './run-state.ts';
import type { RunView } from './run-view.ts';
import { slotStateAt } from './slots.ts';

/** Slots of shown tasks that wait for a worker, or are due and held back; of a map one that is sent and not yet begun. */
export function slotsForWorkers(
  { plan, state }: RunView,
  { steps, handlers }: { readonly steps: readonly StepStatus[]; readonly handlers: readonly HandlerStatus[] },
): readonly number[] {
  const handlerPaths = new Set(handlers.filter(waits).map(({ path }) => path));
  const ofHandlers = handlerPaths.size === 0 ? [] : plan.steps.filter(({ path }) => handlerPaths.has(path));
  return [
    ...steps.flatMap((row) => (waits(row) ? [row.id] : queuedMember(state, row.id))),
    ...ofHandlers.map(({ index }) => index),
  ];
}

function waits({ state }: { readonly state: string }): boolean {
  return state === 'Queued' || state === 'Held';
}

function queuedMember({ maps, slots }: RunState, map: number): readonly number[] {
  const unfolded = maps.get(map);
  if (unfolded === undefined) return [];
  const { base, count, width } = unfolded;
  for (let at = base; at < base + count * width; at += 1) if (slotStateAt(slots, at) === 'Published') return [at];
  return [];
}
