import type { PlanStep } from '#core/canvas/plan.ts';
import type { Blocks } from './blocks.ts';
import type { ElementState } from './element-state.ts';

/**
 * What a condition says now; it is asked only when all that it may ask for has ended. `runAgain`: it cannot say, before the
 * task of that slot has run again.
 */
export type Judgement = 'Holds' | 'Fails' | { readonly error: string } | { readonly runAgain: number };
/** `states` holds, by slot, where the elements before this one stand. */
export type Judge = (step: PlanStep, member: number, states: readonly ElementState[]) => Judgement;

/** A slot that is to change because of what holds now; the caller records it. */
export type Change =
  | { readonly at: number; readonly to: 'PassedOver' }
  | { readonly at: number; readonly to: 'Failed' | 'Continued'; readonly error: string }
  | { readonly at: number; readonly to: 'Scheduled'; readonly dueTicks: number };

/** What follows from the slots of a run, computed anew each time: nothing here is stored. */
export interface Evaluation {
  /** By slot, composites and handlers included. */
  readonly states: readonly ElementState[];
  /** Slots of tasks that may be published now, in pre-order; of those that go the same way no more than the first `mostDue`. */
  readonly due: readonly number[];
  /** How many are due of those that go the same way, by their way: see `dueWay`. */
  readonly dueCounts: ReadonlyMap<number, number>;
  readonly changes: readonly Change[];
  /** Maps that begin: their members are to be found. */
  readonly unfold: readonly number[];
  /** Slots of tasks whose results conditions need, and that are gone. */
  readonly runAgain: readonly number[];
  /** When the next scheduled task is due, in ticks; undefined when none is scheduled. */
  readonly nextDueTicks: number | undefined;
  /** `Running` until the root has ended, `Finalizing` until handlers and `finally` have, then `Ended`. */
  readonly stage: 'Running' | 'Finalizing' | 'Ended';
}

export interface EvaluationContext {
  readonly nowTicks: number;
  readonly judge: Judge;
  /** Of these slots; absent: all is looked at. The evaluation's states are then the same array each time. */
  readonly blocks?: Blocks;
}
