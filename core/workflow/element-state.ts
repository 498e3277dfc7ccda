import type { PlanStep } from '#core/canvas/plan.ts';
import { isInFlight, slotBytes, slotStates, type Slots, type SlotState } from './slots.ts';

/**
 * Where an element stands. `Skipped`: something before it failed, so it never runs. `PassedOver`: its `when` was false.
 * `Continued`: it failed, and what follows goes on all the same.
 */
export type ElementState =
  'Waiting' | 'Active' | 'Succeeded' | 'PassedOver' | 'Continued' | 'Failed' | 'Cancelled' | 'Skipped';

/** Whether an element has ended, one way or the other. */
export function isOver(state: ElementState): boolean {
  return state !== 'Waiting' && state !== 'Active';
}

/** Whether what follows an element may begin. */
export function isDone(state: ElementState): boolean {
  return state === 'Succeeded' || state === 'PassedOver' || state === 'Continued';
}

/** How an element's failure stands: where what follows goes on all the same, it is none to them. */
export function failedAs({ onFailure }: Pick<PlanStep, 'onFailure'>): 'Failed' | 'Continued' {
  return onFailure === 'Continue' ? 'Continued' : 'Failed';
}

/** Where a task stands whose slot says that it has ended. */
export function endedState(state: SlotState): ElementState {
  switch (state) {
    case 'Succeeded':
    case 'PassedOver':
    case 'Continued':
    case 'Cancelled':
      return state;
    default:
      return 'Failed';
  }
}

/** By the number of a slot's state, where that is all there is to know of the task. */
const settledStates: readonly (ElementState | undefined)[] = Array.from({ length: 256 }, (_, code) => {
  const own = (Object.keys(slotStates) as SlotState[]).find((name) => slotStates[name] === code);
  if (own === undefined || own === 'Waiting' || own === 'Scheduled') return undefined;
  return isInFlight(own) ? 'Active' : endedState(own);
});

/** Where a task stands; undefined when that depends on more than its slot: on what comes before it, or on the time. */
export function settledState(slots: Slots, at: number): ElementState | undefined {
  return settledStates[slots[at * slotBytes] ?? 0];
}

/** From what says least about the whole to what says most: the state of the whole is the last of these that a member has. */
const weights: Readonly<Record<ElementState, number>> = {
  Succeeded: 0,
  PassedOver: 0,
  Continued: 0,
  Skipped: 1,
  Cancelled: 2,
  Failed: 3,
  Active: 4,
  Waiting: 5,
};

/** The states of members that run side by side, as far as they were looked at. */
export interface Fold {
  worst: ElementState;
  waiting: number;
  members: number;
}

export function newFold(): Fold {
  return { worst: 'Succeeded', waiting: 0, members: 0 };
}

/** Adds so many members of one state. Default: one. */
export function addToFold(fold: Fold, state: ElementState, times = 1): void {
  if (times === 0) return;
  fold.members += times;
  if (state === 'Waiting') fold.waiting += times;
  if (weights[state] > weights[fold.worst]) fold.worst = state;
}

/** Adds others that run side by side with these. */
export function addFold(fold: Fold, { worst, waiting, members }: Fold): void {
  fold.members += members;
  fold.waiting += waiting;
  if (weights[worst] > weights[fold.worst]) fold.worst = worst;
}

/** The state of members that run side by side; undefined when all are done. */
export function foldedState({ worst, waiting, members }: Fold): ElementState | undefined {
  if (worst === 'Succeeded') return undefined;
  return worst === 'Waiting' && waiting < members ? 'Active' : worst;
}
