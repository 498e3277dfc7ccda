import type { PlanStep, TaskStep } from '#core/canvas/plan.ts';
import type { Admission } from './admission.ts';
import { countsFromDue } from './counts-from-due.ts';
import { dueWay } from './due-way.ts';
import { addToFold, newFold, settledState, type ElementState, type Fold } from './element-state.ts';
import { dueTicks, slotBytes, slotStateAt, slotStates, ticksAt, tickMs } from './slots.ts';
import type { Unfolded } from './unfolded.ts';
import { mostChanges, type Walk } from './walk.ts';

/** A member of which there is nothing to ask but what its slot says: most of a wide canvas is made of these. */
export function isPlain(step: PlanStep): step is TaskStep {
  if (step.kind !== 'Task' || step.role !== 'Member' || step.when !== undefined) return false;
  return step.links.length === 0 && step.linkErrors.length === 0;
}

/** Where a task stands by its slot; notes when it is due, or that it is to wait for its time. */
export function visitTask(walk: Walk, step: TaskStep, at: number, admission: Admission): ElementState {
  const settled = settledState(walk.state.slots, at);
  if (settled !== undefined) return settled;
  const isWaiting = slotStateAt(walk.state.slots, at) === 'Waiting';
  return isWaiting ? visitWaiting(walk, step, at, admission) : visitScheduled(walk, step, at);
}

function visitWaiting(walk: Walk, step: TaskStep, at: number, admission: Admission): ElementState {
  if (admission === 'Barred') return 'Skipped';
  if (admission === 'Closed') return 'Waiting';
  if (walk.state.cancelled !== '' && step.role === 'Member') return 'Cancelled';
  const dueAt = firstDueTicks(walk, step, at);
  if (dueAt > walk.nowTicks || countsFromDue(step)) {
    const change = { at, to: 'Scheduled', dueTicks: Math.max(dueAt, walk.nowTicks) } as const;
    if (walk.changes.length < mostChanges) walk.changes.push(change);
    return 'Active';
  }
  walk.due.add(dueWay(walk.alike, step, walk.state.slots, at), at);
  return 'Active';
}

/** Countdown and eta are for the first attempt of a round; later ones have waited already. */
function firstDueTicks({ state, nowTicks }: Walk, { countdownMs, etaMs }: TaskStep, at: number): number {
  if (countdownMs === undefined && etaMs === undefined) return 0;
  const hasBegun = (state.slots[at * slotBytes + 2] ?? 0) + (state.slots[at * slotBytes + 3] ?? 0) > 0;
  if (hasBegun) return 0;
  if (countdownMs !== undefined) return nowTicks + Math.ceil(countdownMs / tickMs);
  return etaMs === undefined ? 0 : dueTicks(state.begunAtMs, etaMs);
}

function visitScheduled(walk: Walk, step: TaskStep, at: number): ElementState {
  if (walk.state.cancelled !== '' && step.role === 'Member') return 'Cancelled';
  const due = ticksAt(walk.state.slots, at);
  if (due <= walk.nowTicks) walk.due.add(dueWay(walk.alike, step, walk.state.slots, at), at);
  else walk.nextDueTicks = Math.min(walk.nextDueTicks ?? due, due);
  return 'Active';
}

/** Members of a map, from a slot on, of one slot each. */
interface PlainMembers extends Pick<Unfolded, 'base' | 'count'> {
  readonly admission: Admission;
}

/** Where the members of a map stand that are plain tasks, which lie side by side: 100,000 of them are one short loop. */
export function foldPlain(walk: Walk, step: TaskStep, { base, count, admission }: PlainMembers): Fold {
  const { states, due } = walk;
  const { slots } = walk.state;
  const fold = newFold();
  const way = isDueAtOnce(walk, step, admission) ? (walk.alike[step.index] ?? -1) : undefined;
  let last: ElementState = 'Succeeded';
  let alike = 0;
  for (let at = base; at < base + count; at += 1) {
    let state: ElementState = 'Active';
    if (way !== undefined && slots[at * slotBytes] === slotStates.Waiting) due.add(way, at);
    else state = visitTask(walk, step, at, admission);
    states[at] = state;
    if (state !== last) {
      addToFold(fold, last, alike);
      last = state;
      alike = 0;
    }
    alike += 1;
  }
  addToFold(fold, last, alike);
  return fold;
}

/** Whether a member that waits is due and goes the same way as the others, whichever it is. */
function isDueAtOnce({ state }: Walk, step: TaskStep, admission: Admission): boolean {
  if (admission !== 'Open' || state.cancelled !== '' || countsFromDue(step)) return false;
  return step.countdownMs === undefined && step.etaMs === undefined && step.retry?.escalateTo === undefined;
}
