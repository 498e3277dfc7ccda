import type { Plan } from '#core/canvas/plan.ts';
import type { DueTasks } from './due-tasks.ts';
import type { ElementState } from './element-state.ts';
import type { Change, EvaluationContext } from './evaluation.ts';
import type { RunState } from './run-state.ts';

/** Changes in one evaluation; what remains follows in the next. */
export const mostChanges = 2_000;

/** What an evaluation looks at, and what it has found so far. */
export interface Walk extends EvaluationContext {
  readonly plan: Plan;
  readonly state: RunState;
  readonly states: ElementState[];
  /** See `alikeOf`. */
  readonly alike: readonly number[];
  readonly due: DueTasks;
  readonly changes: Change[];
  readonly unfold: number[];
  readonly runAgain: number[];
  nextDueTicks: number | undefined;
  /** Handlers that have not ended. */
  openHandlers: number;
}
