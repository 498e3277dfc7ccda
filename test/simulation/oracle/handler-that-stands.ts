import type { Plan } from '#core/canvas/plan.ts';
import type { EndedRun } from './ended-run.ts';

/**
 * A handler that was sent before Redis forgot how its element had ended, and whose element then ran again: what it did is
 * not undone, though its element may have ended otherwise since.
 */
export function standsFromBefore({ workflow, losses }: EndedRun, step: number, member: number): boolean {
  const { plan, sent } = workflow;
  const { role, parent, map } = plan.steps[step]!;
  if (losses === 0 || (role !== 'Link' && role !== 'LinkError')) return false;
  const own = sent.filter((each) => each.step === step && each.member === member);
  const ofElement = sent.filter(
    (each) => isWithin(plan, each.step, parent) && (plan.steps[each.step]!.map !== map || each.member === member),
  );
  return own.some((before) => ofElement.some((again) => again.losses > before.losses));
}

function isWithin(plan: Plan, step: number, element: number): boolean {
  const { role, parent } = plan.steps[step]!;
  return step === element || (role === 'Member' && parent >= 0 && isWithin(plan, parent, element));
}
