import type { PayloadLimits } from '#core/base/payload-limits.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { Blocks } from './blocks.ts';
import type { Evaluation } from './evaluation.ts';
import type { RunState } from './run-state.ts';

/** A run as it is known at one moment. */
export interface RunView {
  readonly plan: Plan;
  readonly state: RunState;
  readonly evaluation: Evaluation;
  readonly payloadLimits: PayloadLimits;
  /** Of the slots of `state`; absent: who looks for something looks at all of them. */
  readonly blocks?: Blocks;
}
