import { durationText } from '#core/base/duration-text.ts';
import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { LostStatus } from '#core/resources/workflow-status.ts';
import type { Cancelled } from './advance.ts';
import { endingOf } from './ending.ts';
import type { Evaluation } from './evaluation.ts';
import { failedElement, failureText } from './failure-text.ts';
import type { Summary } from './summary.ts';

/** The condition Succeeded, less its times. */
export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: WorkflowReason;
  readonly message: string;
}

export interface VerdictInput {
  readonly evaluation: Evaluation;
  readonly summary: Summary;
  readonly cancelled: Cancelled;
  readonly suspended: boolean;
  /** What `spec.deadline` says, from the beginning of the run. */
  readonly deadlineMs?: number | undefined;
  /** The latest round, and when it began, in milliseconds since the run did. Default: the first one. */
  readonly round?: number;
  readonly roundAtMs?: number;
  readonly lost?: LostStatus | undefined;
  /** Why the run stands still for good. */
  readonly stopped?: { readonly reason: WorkflowReason; readonly message: string } | undefined;
  /** Why a due step waits. */
  readonly blocked?: { readonly path: string; readonly reason: WorkflowReason; readonly message: string } | undefined;
  /** When the next timer is due, where nothing else goes on. */
  readonly nextDueAt?: string | undefined;
  /** The TaskQueue in which tasks of it wait, which no WorkerPool serves and from which nobody takes any. */
  readonly unservedQueue?: string | undefined;
  /** Why it could not go on when it was last looked at. */
  readonly trouble?: { readonly reason: WorkflowReason; readonly message: string } | undefined;
}

/** States of a handler that is still to end, as its row shows them. */
const underWay: ReadonlySet<string> = new Set(['Held', 'Queued', 'Running', 'Retrying', 'Scheduled']);

/** What the condition Succeeded says of a run: the first row that holds. */
export function verdictOf(input: VerdictInput): Verdict {
  const { evaluation, stopped, trouble } = input;
  if (stopped !== undefined)
    return { status: stopped.reason === 'UnknownPlanVersion' ? 'Unknown' : 'False', ...stopped };
  if (evaluation.stage === 'Ended') return ended(input);
  if (trouble !== undefined) return waiting(trouble.reason, trouble.message);
  return goingOn(input);
}

function goingOn(input: VerdictInput): Verdict {
  const { evaluation, blocked } = input;
  if (input.cancelled !== '' && evaluation.stage === 'Running') return waiting('Cancelling', cancellingText(input));
  if (input.suspended && input.cancelled === '')
    return waiting('Suspended', `${progressText(input)}; spec.suspend is true`);
  if (blocked !== undefined) return waiting(blocked.reason, `${blocked.path}: ${blocked.message}`);
  if (evaluation.stage === 'Finalizing')
    return waiting('Finalizing', `${outcomeText(input)}; ${handlersText(input)}${workerText(input)}`);
  return waiting('Running', `${progressText(input)}${timerText(input)}${workerText(input)}`);
}

function waiting(reason: WorkflowReason, message: string): Verdict {
  return { status: 'Unknown', reason, message };
}

function progressText({ summary: { done, total }, lost }: VerdictInput): string {
  return `${done} of ${total} tasks done${lost === undefined ? '' : `; ${lostText(lost)}`}`;
}

function timerText({ nextDueAt }: VerdictInput): string {
  return nextDueAt === undefined ? '' : `; nothing is due before ${nextDueAt}`;
}

/** Celery workers are known by what they take alone. */
function workerText({ unservedQueue }: VerdictInput): string {
  if (unservedQueue === undefined) return '';
  return `; waiting for a worker: no WorkerPool serves TaskQueue ${unservedQueue} (a Celery worker may)`;
}

/** What the end waits for, so that nobody has to look for it. */
function handlersText(input: VerdictInput): string {
  const [first, ...others] = input.summary.handlers.filter(({ state }) => underWay.has(state));
  if (first === undefined) return `handlers are running${timerText(input)}`;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `waiting for ${first.path}: task ${first.task}, ${first.state}${more}${timerText(input)}`;
}

function cancellingText(input: VerdictInput): string {
  const { running } = input.summary;
  const why = input.cancelled === 'DeadlineExceeded' ? 'its deadline passed' : 'spec.cancel is true';
  return `${progressText(input)}; ${why}, and what runs was asked to stop: ${running} ${running === 1 ? 'task' : 'tasks'}`;
}

/** What data loss cost, as the condition and an event tell it. */
export function lostText({ times, sentAgain, runAgain }: LostStatus): string {
  const often = times === 1 ? '' : ` ${times} times`;
  const sent = sentAgain === 1 ? '1 task was sent again' : `${sentAgain} tasks were sent again`;
  return `Redis lost data of it${often}: ${sent}, ${runAgain} that had ended ran again`;
}

function ended(input: VerdictInput): Verdict {
  const { state, reason } = endingOf(input.evaluation.states[0] ?? 'Waiting', input.cancelled);
  return { status: state === 'Succeeded' ? 'True' : 'False', reason, message: outcomeText(input) };
}

function outcomeText(input: VerdictInput): string {
  const { evaluation, summary } = input;
  const { total, failed, succeeded, passedOver, why } = summary;
  if (evaluation.states[0] === 'Succeeded') {
    const others = [
      ...(failed === 0 ? [] : [`${failed} failed and did not count`]),
      ...(passedOver === 0 ? [] : [`${passedOver} passed over`]),
    ];
    return [`${succeeded} of ${total} tasks succeeded`, ...others].join(', ');
  }
  if (why === undefined) return `${succeeded} of ${total} tasks had succeeded when ${cancelText(input)}`;
  const others = failed > 1 ? `; ${failed} tasks failed in all` : '';
  return `${failureText(why)}${others}`;
}

function cancelText(input: VerdictInput): string {
  const { cancelled, summary } = input;
  const when = cancelled === 'DeadlineExceeded' ? deadlineText(input) : 'it was cancelled';
  if (summary.stopped === undefined) return when;
  const did = summary.stopped.type === 'Cancelled' ? 'was waiting for a worker' : 'was running';
  return `${when}, while ${failedElement(summary.stopped)} ${did}`;
}

/** A round for which no time was left could run nothing, and a further one could not either. */
function deadlineText({ deadlineMs, round = 0, roundAtMs = 0 }: VerdictInput): string {
  const deadline = deadlineMs === undefined ? 'its deadline' : `its deadline of ${durationText(deadlineMs)}`;
  if (deadlineMs === undefined || round === 0 || roundAtMs < deadlineMs) return `${deadline} passed`;
  return `round ${round} began, and ${deadline}, which counts from startedAt, had passed: raise or remove spec.deadline and raise spec.retryFailed in one change`;
}
