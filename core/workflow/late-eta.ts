import { isoOf } from '#core/base/iso-date.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { maxTicks, tickMs } from './slots.ts';

const mostMs = maxTicks * tickMs;
const mostDays = Math.floor(mostMs / 86_400_000);

/**
 * An `eta` that a run cannot wait for, in words; undefined where there is none. A run's own time ends after 497 days: what
 * is due later would be due then, long before its time.
 */
export function lateEta({ steps }: Plan, createdAtMs: number): string | undefined {
  for (const step of steps) {
    if (step.kind !== 'Task' || step.etaMs === undefined || step.etaMs - createdAtMs <= mostMs) continue;
    const eta = `${isoOf(step.etaMs).slice(0, 19)}Z`;
    return `${step.path}.eta: ${eta} is more than ${mostDays} days after the Workflow was created, which is as long as a run may last; create it later`;
  }
  return undefined;
}
