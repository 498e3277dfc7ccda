import type { TaskStep } from '#core/canvas/plan.ts';

/** Whether a step's bounds count from when it became due: that moment is then noted, for the step may be held back for long. */
export function countsFromDue({ waitLimitMs, expires }: Pick<TaskStep, 'waitLimitMs' | 'expires'>): boolean {
  return waitLimitMs !== undefined || (expires !== undefined && 'afterMs' in expires);
}
