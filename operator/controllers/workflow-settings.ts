import { parseDurationMs } from '#core/base/duration.ts';
import type { Workflow } from '#core/resources/workflow.ts';

/** What `spec` says of a run as a whole, as far as it may change or is asked for at each pass. */
export interface WorkflowSettings {
  readonly suspended: boolean;
  readonly cancel: boolean;
  readonly retryFailed: number;
  readonly deadlineMs?: number;
  readonly maxParallel?: number;
  readonly showResult: boolean;
  /** From its end to its deletion; undefined for one that stays. */
  readonly ttlMs?: number;
}

/** Reads no more than these keys, since it is asked for often; the API server has checked them. */
export function settingsOf({ spec }: Workflow): WorkflowSettings {
  const { suspend, cancel, retryFailed, deadline, maxParallel, showResult, ttlAfterFinished } = (spec ??
    {}) as Readonly<Record<string, unknown>>;
  const deadlineMs = durationOf(deadline);
  const ttlMs = durationOf(ttlAfterFinished);
  return {
    suspended: suspend === true,
    cancel: cancel === true,
    retryFailed: typeof retryFailed === 'number' ? retryFailed : 0,
    showResult: showResult !== false,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(typeof maxParallel === 'number' ? { maxParallel } : {}),
  };
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDurationMs(value) : undefined;
}
