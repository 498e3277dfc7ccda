import type { PlanStep, TaskStep } from '#core/canvas/plan.ts';
import { retriesAt, type Slots } from './slots.ts';

/** Whether an attempt goes to the queue that its step names for retries. */
export function isEscalated({ retry }: TaskStep, retries: number): boolean {
  return retries > 0 && retry?.escalateTo !== undefined;
}

/**
 * The way of a due task: the first step that goes the same way (`alike`, see `alikeOf`), and beyond the numbers of steps
 * when its attempt is escalated, for that goes to another queue.
 */
export function dueWay(alike: readonly number[], step: PlanStep, slots: Slots, at: number): number {
  const first = alike[step.index] ?? -1;
  if (step.kind !== 'Task' || step.retry?.escalateTo === undefined) return first;
  return isEscalated(step, retriesAt(slots, at)) ? first + alike.length : first;
}

/** The other way round. */
export function stepOfWay(
  alike: readonly number[],
  way: number,
): { readonly step: number; readonly escalated: boolean } {
  const escalated = way >= alike.length;
  return { step: escalated ? way - alike.length : way, escalated };
}
