import type { Plan, PlanStep } from '#core/canvas/plan.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { addToFold, foldedState, isOver, newFold, type ElementState } from '#core/workflow/element-state.ts';
import { slotOf } from '#core/workflow/layout.ts';

/** How one element stands. Within a map it is all of its members at once, and how many have ended. */
export interface ElementRow {
  readonly state: ElementState;
  readonly progress?: string;
}

/** Every element of a plan by its path, handlers included. */
export function elementRows(plan: Plan, view: RunView): ReadonlyMap<string, ElementRow> {
  const rows = new Map<string, ElementRow>();
  for (const step of plan.steps) {
    const row = step.map === -1 ? { state: stateAt(view, step.index) } : membersRow(plan, view, step);
    rows.set(step.path, row);
    // A bare task is run for each item of its map, whether it is written with `task` or with `each`.
    if (step.map !== -1 && step.path.endsWith('.map')) rows.set(`${step.path}.each`, row);
  }
  return rows;
}

function membersRow(plan: Plan, view: RunView, { index, map }: PlanStep): ElementRow {
  const { maps } = view.state;
  const count = maps.get(map)?.count;
  if (count === undefined) return { state: 'Waiting' };
  const fold = newFold();
  let ended = 0;
  for (let member = 0; member < count; member += 1) {
    const state = stateAt(view, slotOf(plan, maps, index, member));
    addToFold(fold, state);
    if (isOver(state)) ended += 1;
  }
  return { state: foldedState(fold) ?? 'Succeeded', progress: `${ended}/${count}` };
}

function stateAt({ evaluation }: RunView, slot: number): ElementState {
  return evaluation.states[slot] ?? 'Waiting';
}
