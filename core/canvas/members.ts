import type { PlanStep } from './plan.ts';

/** The steps that an element directly consists of: a chord's header before its body, of a map what runs for each item. */
export function membersOf(step: PlanStep): readonly number[] {
  switch (step.kind) {
    case 'Task':
      return [];
    case 'Chord':
      return [...step.header, step.body];
    case 'Map':
      return [step.each];
    default:
      return step.members;
  }
}
