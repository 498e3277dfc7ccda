import type { Plan, TaskStep } from '#core/canvas/plan.ts';
import { memberOffset, type UnfoldedMaps } from './unfolded.ts';

/** Tasks of which something bounds how long they wait or run, in the order of their slots. */
export interface BoundedRow {
  readonly count: number;
  readonly placeOf: (ordinal: number) => { readonly step: TaskStep; readonly member: number; readonly at: number };
}

/** Some of a row, the last not included. */
export interface PartOfRow {
  readonly row: BoundedRow;
  readonly first: number;
  readonly end: number;
}

/** Literal tasks together, and those of a map by step. */
export function boundedRows(plan: Plan, maps: UnfoldedMaps): readonly BoundedRow[] {
  const { literal, folded } = boundedSteps(plan);
  const rows = folded.flatMap((step) => {
    const unfolded = maps.get(step.map);
    if (unfolded === undefined) return [];
    const { count, width } = unfolded;
    const firstAt = step.index + memberOffset(step.map, unfolded, 0);
    return [{ count, placeOf: (member: number) => ({ step, member, at: firstAt + member * width }) }];
  });
  const placeOf = (ordinal: number) => {
    const step = literal[ordinal];
    if (step === undefined) throw new RangeError(`${ordinal} is none of ${literal.length} bounded tasks`);
    return { step, member: 0, at: step.index };
  };
  return [{ count: literal.length, placeOf }, ...rows];
}

interface BoundedSteps {
  readonly literal: readonly TaskStep[];
  /** Those that stand in a map. */
  readonly folded: readonly TaskStep[];
}

const known = new WeakMap<Plan, BoundedSteps>();

function boundedSteps(plan: Plan): BoundedSteps {
  const found = known.get(plan);
  if (found !== undefined) return found;
  const bounded = plan.steps.filter((step) => step.kind === 'Task').filter(isBounded);
  const steps = { literal: bounded.filter(({ map }) => map === -1), folded: bounded.filter(({ map }) => map !== -1) };
  known.set(plan, steps);
  return steps;
}

function isBounded({ role, waitLimitMs, expires, timeLimitMs }: TaskStep): boolean {
  return role !== 'Member' || waitLimitMs !== undefined || expires !== undefined || timeLimitMs !== undefined;
}
