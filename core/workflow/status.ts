import { defined } from '#core/base/defined.ts';
import { durationText } from '#core/base/duration-text.ts';
import type { Condition } from '#core/resources/condition.ts';
import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { LostStatus, StepStatus, WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { RunView } from './run-view.ts';
import { rootIdOf, type RunIdentity } from './message.ts';
import { readSlot, tickMs } from './slots.ts';
import type { LastErrors, Reports } from './observation.ts';
import { slotsForWorkers } from './slots-for-workers.ts';
import { shownResult, summarise, type Summary } from './summary.ts';
import { verdictOf, type Verdict, type VerdictInput } from './verdict.ts';

/** A run as its status is computed from it. */
export interface RunReport {
  readonly identity: RunIdentity;
  readonly view: RunView;
  readonly rev: number;
  /** Milliseconds since 1970, by the clock of the run's Redis. */
  readonly begunAtMs: number;
  readonly suspended: boolean;
  /** What `spec.deadline` says now. */
  readonly deadlineMs?: number | undefined;
  readonly reports: Reports;
  /** How the attempts of tasks ended that are repeated. */
  readonly lastErrors?: LastErrors | undefined;
  /** The value of `spec.retryFailed` that the latest round answered. */
  readonly retried?: number | undefined;
  /** What was lost with data of Redis since the run began. */
  readonly lost?: LostStatus | undefined;
  readonly stopped?: VerdictInput['stopped'];
  readonly blocked?: VerdictInput['blocked'];
  /** The TaskQueue to which the task of a slot goes, if nobody takes anything from it and no WorkerPool serves it. */
  readonly unservedQueueOf?: ((slot: number) => string | undefined) | undefined;
  readonly trouble?: VerdictInput['trouble'];
}

export interface StatusContext {
  readonly generation: number;
  readonly nowMs: number;
  /** Writes RFC 3339; the core has no clock and no calendar. */
  readonly timeText: (ms: number) => string;
  readonly previous?: WorkflowStatus | undefined;
  readonly showResult: boolean;
}

/** The whole status of a run, less its home. A merge patch of it removes nothing that is not named here. */
export function statusOf(report: RunReport, context: StatusContext): WorkflowStatus {
  const { identity, view, rev, begunAtMs, reports, retried = 0, lost } = report;
  const summary = summarise(identity, view, reports);
  const { evaluation, state } = view;
  const nextDueAt = nextDueAtOf(view, summary, context);
  const unservedQueue = unservedQueueIn(report, summary);
  const cancelled = state.cancelled;
  const verdict = verdictOf({
    ...report,
    ...roundOf(identity),
    unservedQueue,
    evaluation,
    summary,
    cancelled,
    nextDueAt,
  });
  const result = verdict.status === 'True' && context.showResult ? shownResult(view) : undefined;
  const { notStopped, steps, step, done, total, running, failed, held } = summary;
  return {
    ...verdictStatus(verdict, context, begunAtMs),
    ...{ done, total, running, failed, held },
    step: step ?? '',
    steps: steps.map((row) => ({ ...row, ...waitOf(row, report, context) })),
    failures: [...summary.failures],
    handlers: [...summary.handlers],
    ...(notStopped.length === 0 ? {} : { notStopped: [...notStopped] }),
    ...defined({ nextDueAt, unservedQueue, lost }),
    progress: `${done}/${total}`,
    run: identity.run48,
    round: identity.round,
    ...(retried === 0 ? {} : { retried }),
    rev,
    resultTaskId: rootIdOf(identity),
    ...(result === undefined ? {} : { result: result.value }),
  };
}

function roundOf({ round, roundsAt }: RunIdentity): Pick<VerdictInput, 'round' | 'roundAtMs'> {
  return { round, roundAtMs: (roundsAt.at(-1) ?? 0) * tickMs };
}

/** The first that a shown task waits in. Who suspends or cancels does not ask for workers. */
function unservedQueueIn({ view, suspended, unservedQueueOf }: RunReport, summary: Summary): string | undefined {
  const { evaluation, state } = view;
  if (unservedQueueOf === undefined || (state.cancelled === '' ? suspended : evaluation.stage === 'Running'))
    return undefined;
  for (const slot of slotsForWorkers(view, summary)) {
    const queue = unservedQueueOf(slot);
    if (queue !== undefined) return queue;
  }
  return undefined;
}

/** Of a task that waits for its time: until when, and how its last attempt ended where it had one. */
function waitOf(
  { id, state }: StepStatus,
  { view, lastErrors }: RunReport,
  { timeText }: StatusContext,
): Pick<StepStatus, 'dueAt' | 'lastError'> {
  if (state !== 'Scheduled') return {};
  const { atTicks, attempt } = readSlot(view.state.slots, id);
  const last = lastErrors?.get(id);
  return {
    dueAt: timeText(view.state.begunAtMs + atTicks * tickMs),
    ...(last?.attempt === attempt - 1 ? { lastError: last.text } : {}),
  };
}

/** Told only while nothing else goes on: then it is what the run waits for. */
function nextDueAtOf(
  { evaluation, state }: RunView,
  { running, held }: Summary,
  { timeText }: StatusContext,
): string | undefined {
  if (running > 0 || held > 0 || evaluation.nextDueTicks === undefined) return undefined;
  return timeText(state.begunAtMs + evaluation.nextDueTicks * tickMs);
}

/** The members of status that say how a Workflow stands, for one with a run and for one without. */
export function verdictStatus(verdict: Verdict, context: StatusContext, begunAtMs: number | undefined): WorkflowStatus {
  const { nowMs, timeText, generation } = context;
  const hasEnded = verdict.status !== 'Unknown';
  return {
    observedGeneration: generation,
    conditions: [conditionOf(verdict, context)],
    state: verdict.reason,
    ...(begunAtMs === undefined ? {} : { startedAt: timeText(begunAtMs) }),
    ...(hasEnded ? { finishedAt: timeText(nowMs), duration: durationText(nowMs - (begunAtMs ?? nowMs)) } : {}),
  };
}

function conditionOf(verdict: Verdict, { previous, nowMs, timeText, generation }: StatusContext): Condition {
  const before = previous?.conditions?.find(({ type }) => type === 'Succeeded');
  const { status, reason, message } = verdict;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timeText(nowMs);
  return { type: 'Succeeded', status, reason, message, lastTransitionTime, observedGeneration: generation };
}

/** Reasons after which a Workflow without a run never gets one. */
const endings: ReadonlySet<WorkflowReason> = new Set(['Invalid', 'SpecChanged', 'DataLost']);

/** For a Workflow that has no run: it cannot be run, or waits for something before it can begin. */
export function waitingVerdict(reason: WorkflowReason, message: string): Verdict {
  return { status: endings.has(reason) ? 'False' : 'Unknown', reason, message };
}
