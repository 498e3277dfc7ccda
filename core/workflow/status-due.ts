import type { WorkflowStatus } from '#core/resources/workflow-status.ts';

/** Between two writes of one status, unless it is the first or the last. */
export const leastPauseMs = 1_000;
/** Small news waits this long. */
const longestPauseMs = 600_000;
/** Percentage points of progress that are news. */
const progressPoints = 5;

/** Whether a status is to be written now, later, or not at all. */
export type StatusDue = { readonly write: 'Now' | 'No' } | { readonly write: 'Later'; readonly afterMs: number };

/** The API server is written to seldom: at the beginning, at the end, and for news in between, never twice a second. */
export function statusDue(
  shown: WorkflowStatus | undefined,
  next: WorkflowStatus,
  times: { readonly writtenAtMs: number | undefined; readonly nowMs: number },
): StatusDue {
  if (shown?.state === undefined || next.finishedAt !== undefined) return { write: 'Now' };
  const sinceMs = times.nowMs - (times.writtenAtMs ?? 0);
  const pauseMs = isNews(shown, next) ? leastPauseMs : longestPauseMs;
  if (!differs(shown, next)) return { write: 'No' };
  return sinceMs >= pauseMs ? { write: 'Now' } : { write: 'Later', afterMs: pauseMs - sinceMs };
}

function isNews(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  if (shown.state !== next.state || (shown.failed ?? 0) !== (next.failed ?? 0)) return true;
  if (messageOf(shown) !== messageOf(next) && next.state !== 'Running') return true;
  return Math.abs(percentDone(next) - percentDone(shown)) >= progressPoints;
}

function differs(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  return isNews(shown, next) || shown.done !== next.done || shown.running !== next.running || shown.step !== next.step;
}

function percentDone({ done = 0, total = 0 }: WorkflowStatus): number {
  return total === 0 ? 100 : (done / total) * 100;
}

function messageOf(status: WorkflowStatus): string | undefined {
  return status.conditions?.find(({ type }) => type === 'Succeeded')?.message;
}
