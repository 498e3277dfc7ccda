import type { WorkflowStatus } from '#core/resources/workflow-status.ts';

/** Between two writes of one status, unless it is the first or the last. */
export const leastPauseMs = 1_000;
/** Whatever differs waits no longer than this. */
const longestPauseMs = 600_000;
/** Percentage points of progress that are news. */
const progressPoints = 5;

/** Whether a status is to be written now, later, or not at all. */
export type StatusDue = { readonly write: 'Now' | 'No' } | { readonly write: 'Later'; readonly afterMs: number };

export interface StatusTimes {
  /** When this operator last wrote it; undefined when it never did. */
  readonly writtenAtMs: number | undefined;
  /** When the run began; undefined for a Workflow without one. */
  readonly begunAtMs: number | undefined;
  readonly nowMs: number;
}

interface News {
  readonly is: (shown: WorkflowStatus, next: WorkflowStatus) => boolean;
  /** How long after the last write it may be written, by the run's age: the older a run, the less a moment counts. */
  readonly pauseMs: (ageMs: number) => number;
}

/** What is worth a write, and how soon; with these pauses an hour's run is written some thirty times, whatever its size. */
const news: readonly News[] = [
  { is: hasTurned, pauseMs: () => leastPauseMs },
  // The first status is written before the first message is sent.
  { is: (shown, next) => (shown.running ?? 0) === 0 && (next.running ?? 0) > 0, pauseMs: () => 2_000 },
  // Whoever suspends wants to know when nothing runs any more.
  { is: hasComeToRest, pauseMs: () => 2_000 },
  { is: hasProgressed, pauseMs: (ageMs) => between(leastPauseMs, (ageMs * 2) / 3, 5_000) },
  { is: hasHandled, pauseMs: (ageMs) => between(2_000, ageMs / 3, 60_000) },
  { is: hasReported, pauseMs: (ageMs) => between(5_000, ageMs / 3, longestPauseMs) },
  // What ended since the checkpoint was written would run again, should Redis lose everything.
  {
    is: (shown, next) => next.done !== undefined && shown.done !== next.done,
    pauseMs: (ageMs) => between(20_000, ageMs / 3, longestPauseMs),
  },
  { is: differsAtAll, pauseMs: () => longestPauseMs },
];

/** The API server is written to seldom: at the beginning, at the end, and for news in between, never twice a second. */
export function statusDue(shown: WorkflowStatus | undefined, next: WorkflowStatus, times: StatusTimes): StatusDue {
  if (shown?.state === undefined || next.finishedAt !== undefined) return { write: 'Now' };
  const ageMs = times.nowMs - (times.begunAtMs ?? times.nowMs);
  const pauses = news.filter(({ is }) => is(shown, next)).map(({ pauseMs }) => pauseMs(ageMs));
  if (pauses.length === 0) return { write: 'No' };
  const leftMs = Math.min(...pauses) - (times.nowMs - (times.writtenAtMs ?? 0));
  return leftMs <= 0 ? { write: 'Now' } : { write: 'Later', afterMs: leftMs };
}

const counting: ReadonlySet<string | undefined> = new Set(['Running', 'Suspended', 'Cancelling', 'Finalizing']);

function hasTurned(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  if (shown.state !== next.state || shown.round !== next.round) return true;
  if ((shown.failed ?? 0) === 0 && (next.failed ?? 0) > 0) return true;
  // While it runs, its message counts, which is progress, and then names what it waits for.
  return messageOf(shown) !== messageOf(next) && !counting.has(next.state);
}

/** A status without a run behind it, of a Workflow that waits for its connection, say, tells nothing of progress. */
function hasProgressed(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  return next.total !== undefined && Math.abs(percentDone(next) - percentDone(shown)) >= progressPoints;
}

function hasComeToRest(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  return next.state === 'Suspended' && (shown.running ?? 0) > 0 && next.running === 0;
}

/** What tasks say of themselves, which of them run, and that nothing but a timer or a worker is waited for. */
function hasReported(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  if (next.total === undefined) return false;
  if (shown.step !== next.step || shown.unservedQueue !== next.unservedQueue) return true;
  if ((shown.nextDueAt === undefined) !== (next.nextDueAt === undefined)) return true;
  return reportsOf(shown) !== reportsOf(next);
}

function reportsOf({ steps = [] }: WorkflowStatus): string {
  return steps
    .filter(({ report, state }) => report !== undefined || state === 'Running')
    .map(({ id, member, state, report, progress }) => [id, member, state, report, progress].join(' '))
    .join('\n');
}

/** A handler began or ended while nothing else goes on: there are few of them, and people wait for their end. */
function hasHandled(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  const statesOf = ({ handlers = [] }: WorkflowStatus): string =>
    handlers.map(({ path, state }) => `${path} ${state}`).join('\n');
  return next.state === 'Finalizing' && statesOf(shown) !== statesOf(next);
}

function differsAtAll(shown: WorkflowStatus, next: WorkflowStatus): boolean {
  const keys = ['done', 'running', 'held', 'failed', 'step', 'nextDueAt'] as const;
  return next.total !== undefined && keys.some((key) => shown[key] !== next[key]);
}

function between(leastMs: number, ms: number, mostMs: number): number {
  return Math.min(mostMs, Math.max(leastMs, ms));
}

function percentDone({ done = 0, total = 0 }: WorkflowStatus): number {
  return total === 0 ? 100 : (done / total) * 100;
}

function messageOf(status: WorkflowStatus): string | undefined {
  return status.conditions?.find(({ type }) => type === 'Succeeded')?.message;
}
