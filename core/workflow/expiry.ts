import type { TaskStep } from '#core/canvas/plan.ts';

/** When an attempt expires that became due at a moment, in milliseconds since 1970; undefined when it does not. */
export function expiresAtMs({ expires }: Pick<TaskStep, 'expires'>, dueAtMs: number): number | undefined {
  if (expires === undefined) return undefined;
  return 'atMs' in expires ? expires.atMs : dueAtMs + expires.afterMs;
}
