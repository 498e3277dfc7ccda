import { limits } from '#core/base/limits.ts';
import type { MapStep, PlanStep, TaskStep } from '#core/canvas/plan.ts';
import type { StepStatus } from '#core/resources/workflow-status.ts';
import type { RunView } from './run-view.ts';
import { isOver, type ElementState } from './element-state.ts';
import { endedTaskId, type RunIdentity } from './message.ts';
import type { Report, Reports } from './observation.ts';
import { readSlot, type SlotState } from './slots.ts';

/** One member of a task, and its slot. */
export interface TaskSlot {
  readonly step: TaskStep;
  readonly member: number;
  readonly at: number;
}

const worth: Record<ElementState, number> = {
  Failed: 0,
  Continued: 0,
  Active: 1,
  Cancelled: 2,
  Waiting: 3,
  Succeeded: 4,
  PassedOver: 5,
  Skipped: 6,
};

/**
 * One row for each task that runs once and one for each map, whatever its size: what went wrong and what runs first, then
 * the rest in order, until the list is full; listed in order.
 */
export function rowsOf(run: RunIdentity, view: RunView, reports: Reports): readonly StepStatus[] {
  const { plan, evaluation } = view;
  const shown = plan.steps.filter(({ kind, role, map }) => role === 'Member' && map === -1 && isShown(kind));
  const rank = ({ index }: PlanStep): number => worth[evaluation.states[index] ?? 'Waiting'];
  const chosen = shown.length <= limits.statusSteps ? shown : [...shown].sort((a, b) => rank(a) - rank(b));
  return chosen
    .slice(0, limits.statusSteps)
    .sort((a, b) => a.index - b.index)
    .map((step) => (step.kind === 'Map' ? mapRow(view, step) : taskRow(run, view, step as TaskStep, reports)));
}

function isShown(kind: PlanStep['kind']): boolean {
  return kind === 'Task' || kind === 'Map';
}

function taskRow(run: RunIdentity, view: RunView, step: TaskStep, reports: Reports): StepStatus {
  const report = reports.get(step.index);
  const row = { id: step.index, path: step.path, ...nameOf(step), task: step.task, ...shownStep(run, view, step) };
  return report?.attempt !== (row.attempt ?? 0) || row.state !== 'Running' ? row : { ...row, ...shownReport(report) };
}

/** As it was given in spec. */
export function nameOf({ name }: PlanStep): { readonly name?: string } {
  return name === undefined ? {} : { name };
}

function shownReport({ state, done, total }: Report): Pick<StepStatus, 'report' | 'progress'> {
  const progress = done === undefined ? undefined : total === undefined ? String(done) : `${done}/${total}`;
  return { report: state, ...(progress === undefined ? {} : { progress }) };
}

function mapRow({ plan, state, evaluation }: RunView, map: MapStep): StepStatus {
  const each = plan.steps[map.each];
  const unfolded = state.maps.get(map.index);
  const row = {
    id: map.index,
    path: map.path,
    ...nameOf(map),
    ...(each?.kind === 'Task' ? { task: each.task } : {}),
    state: shownState(evaluation.states[map.index] ?? 'Waiting', 'Running'),
  };
  if (unfolded === undefined) return row;
  let ended = 0;
  for (let member = 0; member < unfolded.count; member += 1) {
    if (isOver(evaluation.states[unfolded.base + member * unfolded.width] ?? 'Waiting')) ended += 1;
  }
  return { ...row, progress: `${ended}/${unfolded.count}` };
}

/** How a task that runs once stands, and the id of its latest attempt. */
export function shownStep(
  run: RunIdentity,
  { state, evaluation }: RunView,
  { index }: TaskStep,
): Pick<StepStatus, 'state' | 'attempt' | 'taskId'> {
  const slot = readSlot(state.slots, index);
  const wasSent = slot.state !== 'PassedOver' && (slot.state !== 'Waiting' || slot.attempt > 0);
  return {
    state: shownState(evaluation.states[index] ?? 'Waiting', slot.state),
    ...(slot.attempt > 0 ? { attempt: slot.attempt } : {}),
    ...(wasSent ? { taskId: endedTaskId(run, { step: index, member: 0 }, slot) } : {}),
  };
}

function shownState(state: ElementState, slot: SlotState): string {
  if (state !== 'Active') return slot === 'Lost' ? 'Lost' : state;
  if (slot === 'Waiting') return 'Held';
  return slot === 'Published' ? 'Queued' : slot;
}
