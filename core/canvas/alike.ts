import type { Plan, TaskStep } from './plan.ts';

const known = new WeakMap<Plan, readonly number[]>();

/**
 * By step: the first task of the plan that goes the same way, to the same queue with the same priority, its retries as
 * well, and -1 for what is no task. Of thousands that go the same way, a few stand for all.
 */
export function alikeOf(plan: Plan): readonly number[] {
  const found = known.get(plan) ?? computeAlike(plan);
  known.set(plan, found);
  return found;
}

function computeAlike({ steps }: Plan): readonly number[] {
  const firsts = new Map<string, number>();
  return steps.map((step) => {
    if (step.kind !== 'Task') return -1;
    const way = wayOf(step);
    const first = firsts.get(way) ?? step.index;
    firsts.set(way, first);
    return first;
  });
}

function wayOf({ task, queue, priority, role, retry }: TaskStep): string {
  return JSON.stringify([task, queue, priority, role, retry?.escalateTo]);
}
