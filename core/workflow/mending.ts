import type { JsonText } from '#core/base/json-text.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { RunHead, StoredRun } from './advance.ts';
import { forEachTaskSlot, slotCount } from './layout.ts';
import { missingValues, type MissingValues } from './missing-values.ts';
import type { RunState } from './run-state.ts';
import { encodeSlot, hasEnded, readSlot, slotBytes, slotStateAt, type Slots } from './slots.ts';
import type { Unfolded } from './unfolded.ts';

/** What is stored of a run, as it is being mended. */
export interface Draft {
  slots: Slots;
  readonly kept: Map<number, JsonText>;
  readonly maps: Map<number, Unfolded>;
}

export function draftOf(plan: Plan, run: StoredRun): Draft {
  return { slots: wholeSlots(plan, run), kept: new Map(run.kept), maps: new Map(run.maps) };
}

/** The slots of a run at their full length. */
export function wholeSlots(plan: Plan, { slots, maps }: Pick<StoredRun, 'slots' | 'maps'>): Slots {
  const whole = new Uint8Array(slotCount(plan, maps) * slotBytes);
  whole.set(slots.subarray(0, whole.length));
  return whole;
}

export interface Again extends Pick<RunHead, 'cancelled' | 'begunAtMs'> {
  /** Then a task that runs again needs an attempt of its own for its id. */
  readonly isSameRound: boolean;
  readonly nowTicks: number;
  /** Slots of finished tasks that run again in any case. */
  readonly lost: Iterable<number>;
}

/**
 * Resets finished tasks until every value that is needed is there or will be made. Returns how many. None in a cancelled
 * run, where nothing runs again: what had ended before the cancel stays so.
 */
export function runMissingAgain(plan: Plan, draft: Draft, again: Again): number {
  if (again.cancelled !== '') return 0;
  let count = resetTasks(draft, again.lost, again.isSameRound);
  for (;;) {
    const { cancelled, begunAtMs, nowTicks } = again;
    const state: RunState = { ...draft, cancelled, begunAtMs, items: new Map(), admitted: new Set() };
    const missing = missingValues(plan, state, { nowTicks, isSameRound: again.isSameRound });
    if (missing.again.size + missing.folded.size + missing.callLost.size === 0) return count;
    count += reset(plan, draft, missing, again);
  }
}

function reset(plan: Plan, draft: Draft, { again, folded, callLost }: MissingValues, { isSameRound }: Again): number {
  let count = 0;
  for (const map of folded) count += fold(plan, draft, map);
  count += resetTasks(draft, again, isSameRound);
  for (const at of callLost) {
    if (at * slotBytes >= draft.slots.length) continue;
    draft.slots.set(encodeSlot({ ...readSlot(draft.slots, at), state: 'Waiting', atTicks: 0 }), at * slotBytes);
  }
  return count;
}

function resetTasks(draft: Draft, finished: Iterable<number>, isSameRound: boolean): number {
  let count = 0;
  for (const at of finished) {
    const { state, attempt, lost } = readSlot(draft.slots, at);
    // A slot of a map that was folded is nothing any more.
    if (!hasEnded(state)) continue;
    const next = isSameRound ? { attempt: attempt + 1, lost: Math.min(lost + 1, 15) } : { attempt: 0, lost: 0 };
    draft.slots.set(encodeSlot({ state: 'Waiting', carried: false, atTicks: 0, ...next }), at * slotBytes);
    draft.kept.delete(at);
    count += 1;
  }
  return count;
}

/** Forgets the members of a map. Returns how many of its tasks had succeeded. */
function fold(plan: Plan, draft: Draft, map: number): number {
  let count = 0;
  forEachTaskSlot(plan, draft.maps, (step, _member, at) => {
    if (step.map === map && slotStateAt(draft.slots, at) === 'Succeeded') count += 1;
  });
  const { base, count: members, width } = draft.maps.get(map) ?? { base: 0, count: 0, width: 0 };
  draft.slots.fill(0, base * slotBytes, (base + members * width) * slotBytes);
  for (let at = base; at < base + members * width; at += 1) draft.kept.delete(at);
  draft.maps.delete(map);
  draft.slots = draft.slots.slice(0, slotCount(plan, draft.maps) * slotBytes);
  return count;
}
