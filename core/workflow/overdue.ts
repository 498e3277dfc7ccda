import { limits } from '#core/base/limits.ts';
import type { TaskStep } from '#core/canvas/plan.ts';
import type { FailureType } from '#core/resources/reasons.ts';
import type { Bounds } from './blocks.ts';
import { boundedRows, type PartOfRow } from './bounded-rows.ts';
import type { RunState } from './run-state.ts';
import { expiresAtMs } from './expiry.ts';
import type { RunView } from './run-view.ts';
import { dueTicks, isInFlight, readSlot, tickMs, type Slot } from './slots.ts';
import type { StepMember } from './value.ts';

/**
 * An attempt that waited or ran longer than it may. `Withdraw`: it ends as such if its message can be taken back, for
 * else a worker has it already. `Fail`: it ends in any case; it was not sent yet, or ran for too long.
 */
export interface Overdue extends StepMember {
  readonly attempt: number;
  readonly by: 'Withdraw' | 'Fail';
  readonly type: Extract<FailureType, 'WaitLimitExceeded' | 'Expired' | 'TimeLimitExceeded' | 'HandlerTimeout'>;
  readonly message: string;
}

export interface OverdueAttempts {
  readonly overdue: readonly Overdue[];
  /** When to look again, in ticks: the earliest bound of what is in flight. */
  readonly nextTicks: number | undefined;
}

interface Bound extends Pick<Overdue, 'by' | 'type' | 'message'> {
  readonly atTicks: number;
}

const killGraceMs = limits.killGraceSeconds * 1_000;

/**
 * Looks at every attempt that is due or in flight, or only where one changed or comes to its bound; without bounds and
 * handlers at none.
 */
export function overdueAttempts(view: RunView, nowTicks: number): OverdueAttempts {
  const overdue: Overdue[] = [];
  let nextTicks = Infinity;
  for (const row of boundedRows(view.plan, view.state.maps)) {
    const most = view.blocks?.members ?? row.count;
    for (let first = 0; first < row.count; first += most) {
      const found = boundsAt(view, { row, first, end: Math.min(row.count, first + most) }, nowTicks);
      nextTicks = Math.min(nextTicks, found.nextTicks);
      overdue.push(...(found.overdue ?? []));
    }
  }
  return { overdue, nextTicks: nextTicks === Infinity ? undefined : nextTicks };
}

interface Found extends Bounds {
  readonly overdue?: readonly Overdue[];
}

function boundsAt({ state, blocks }: RunView, part: PartOfRow, nowTicks: number): Found {
  const { row, first, end } = part;
  const [from, to] = [row.placeOf(first).at, row.placeOf(end - 1).at + 1];
  const known = blocks?.bounds.find(from, to);
  if (known !== undefined && holds(known, state, nowTicks)) return known;
  const { overdue, ...bounds } = lookAt(part, state, nowTicks);
  if (overdue.length > 0) return { ...bounds, overdue };
  blocks?.bounds.keep(from, to, bounds);
  return bounds;
}

function holds({ isCancelled, sinceTicks, againTicks }: Bounds, { cancelled }: RunState, nowTicks: number): boolean {
  return isCancelled === (cancelled !== '') && nowTicks >= sinceTicks && nowTicks < againTicks;
}

function lookAt({ row, first, end }: PartOfRow, state: RunState, nowTicks: number): Required<Found> {
  const overdue: Overdue[] = [];
  let nextTicks = Infinity;
  let nextDue = Infinity;
  for (let ordinal = first; ordinal < end; ordinal += 1) {
    const { step, member, at } = row.placeOf(ordinal);
    const slot = readSlot(state.slots, at);
    const isScheduled = slot.state === 'Scheduled';
    const isHeld = isScheduled && slot.atTicks <= nowTicks;
    // What is scheduled has no bounds before it is due.
    if (isScheduled && !isHeld) nextDue = Math.min(nextDue, slot.atTicks);
    const bound = isHeld || isInFlight(slot.state) ? boundOf(state, step, slot) : undefined;
    if (bound === undefined) continue;
    const { atTicks, ...what } = bound;
    if (atTicks > nowTicks) nextTicks = Math.min(nextTicks, atTicks);
    else overdue.push({ step: step.index, member, attempt: slot.attempt, ...what, ...(isHeld ? { by: 'Fail' } : {}) });
  }
  const isCancelled = state.cancelled !== '';
  return { overdue, nextTicks, isCancelled, sinceTicks: nowTicks, againTicks: Math.min(nextDue, nextTicks) };
}

function boundOf(state: RunState, step: TaskStep, slot: Slot): Bound | undefined {
  return isCalledOff(state, step, slot) ? undefined : earliest(boundsOf(step, slot, state.begunAtMs));
}

/** After a cancel what was not sent never will be: its slot stays as it is, and nothing ends it. */
function isCalledOff({ cancelled }: RunState, { role }: TaskStep, { state }: Slot): boolean {
  return state === 'Scheduled' && cancelled !== '' && role === 'Member';
}

function earliest(bounds: readonly Bound[]): Bound | undefined {
  return bounds.reduce<Bound | undefined>(
    (first, bound) => (first === undefined || bound.atTicks < first.atTicks ? bound : first),
    undefined,
  );
}

function boundsOf(step: TaskStep, slot: Slot, begunAtMs: number): readonly Bound[] {
  const bounds = slot.state === 'Running' ? runningBounds(step, slot) : waitingBounds(step, slot, begunAtMs);
  return step.role === 'Member' ? bounds : [...bounds, handlerBound(step, slot)];
}

function waitingBounds(step: TaskStep, slot: Slot, begunAtMs: number): readonly Bound[] {
  const { path, waitLimitMs } = step;
  const bounds: Bound[] = [];
  if (waitLimitMs !== undefined) {
    const message = `${path}: no worker took it within its waitLimit of ${waitLimitMs / 1_000} s`;
    bounds.push({ atTicks: later(slot, waitLimitMs), by: 'Withdraw', type: 'WaitLimitExceeded', message });
  }
  const expiryMs = expiresAtMs(step, begunAtMs + slot.atTicks * tickMs);
  if (expiryMs !== undefined) {
    const atTicks = dueTicks(begunAtMs, expiryMs);
    bounds.push({ atTicks, by: 'Withdraw', type: 'Expired', message: `${path}: no worker took it before it expired` });
  }
  return bounds;
}

function runningBounds({ path, timeLimitMs }: TaskStep, slot: Slot): readonly Bound[] {
  if (timeLimitMs === undefined) return [];
  const message = `${path}: ran longer than its timeLimit of ${timeLimitMs / 1_000} s, and its worker did not end it`;
  return [{ atTicks: later(slot, timeLimitMs + killGraceMs), by: 'Fail', type: 'TimeLimitExceeded', message }];
}

/**
 * So that no lost callback keeps a run from its end. Most workers do not tell when they begin, so one that was not seen
 * to run has the time of both.
 */
function handlerBound({ path, waitLimitMs, timeLimitMs }: TaskStep, slot: Slot): Bound {
  const defaultMs = limits.handlerSeconds * 1_000;
  const waitMs = slot.state === 'Running' ? 0 : (waitLimitMs ?? defaultMs);
  const boundMs = waitMs + (timeLimitMs === undefined ? defaultMs : timeLimitMs + killGraceMs);
  const message = `${path}: did not end within ${boundMs / 1_000} s; is there a worker for its queue?`;
  return { atTicks: later(slot, boundMs), by: 'Fail', type: 'HandlerTimeout', message };
}

function later(slot: Slot, ms: number): number {
  return slot.atTicks + Math.ceil(ms / tickMs);
}
