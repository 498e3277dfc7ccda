import type { RunFacts } from '#core/workflow/judge.ts';

/** What a Workflow asks of its run beside the canvas; all but `run` and `maxParallel` may change while it lives. */
export interface RunSettings {
  /** Nothing is sent; what was sent goes on. */
  readonly suspended: boolean;
  readonly cancel: boolean;
  /** From the run's beginning. */
  readonly deadlineMs?: number | undefined;
  /** Tasks of the canvas in flight at a time; handlers are not counted. */
  readonly maxParallel?: number | undefined;
  /** Each raise runs what failed again, in a new round, once the run has ended. */
  readonly retryFailed: number;
  readonly run: RunFacts;
}
