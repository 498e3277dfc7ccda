import type { Observation } from '#core/workflow/observation.ts';
import type { LiveRun } from './live-run.ts';

/** A run and the hand that turns it, as those see it who find out about its messages. */
export interface DrivenRun {
  readonly run: LiveRun;
  /** Tells what was seen; a turn follows soon. */
  see(observation: Observation): void;
  /** Asks for a turn: something that the run looks at may be another. */
  schedule(): void;
}
