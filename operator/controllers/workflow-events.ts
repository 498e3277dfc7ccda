import type { WorkflowEventReason, WorkflowReason } from '#core/resources/reasons.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { Evaluation } from '#core/workflow/evaluation.ts';
import { failedElement } from '#core/workflow/failure-text.ts';
import { lostWith } from '#core/workflow/observe-meta.ts';
import { lostText } from '#core/workflow/verdict.ts';
import type { EventRecorder } from '#io/kube/event-recorder.ts';
import { resources } from '#io/kube/resource.ts';
import { settingsOf } from './workflow-settings.ts';

interface Telling {
  readonly type: 'Normal' | 'Warning';
  readonly reason: WorkflowReason | WorkflowEventReason;
  readonly message: string;
}

/** What a person wants to be told of a change of status, beside its end. Each row: whether it is new, and its words. */
const news: readonly ((shown: WorkflowStatus, next: WorkflowStatus, workflow: Workflow) => Telling | undefined)[] = [
  (shown, next) =>
    next.state === 'Suspended' && shown.state !== 'Suspended'
      ? { type: 'Normal', reason: 'SuspendRequested', message: 'nothing more is sent until spec.suspend is false' }
      : undefined,
  (shown, next, workflow) =>
    // What is cancelled while it is suspended leaves that state as well.
    shown.state === 'Suspended' && !settingsOf(workflow).suspended && !wasStopped(next)
      ? { type: 'Normal', reason: 'Resumed', message: `goes on at ${next.progress ?? ''}` }
      : undefined,
  (shown, { retried = 0, round = 0 }) =>
    retried > (shown.retried ?? 0)
      ? { type: 'Normal', reason: 'RetryRequested', message: `round ${round} runs again what failed or was cancelled` }
      : undefined,
  ({ unservedQueue: shown }, { unservedQueue }) =>
    unservedQueue !== undefined && unservedQueue !== shown
      ? { type: 'Warning', reason: 'NoWorkerPool', message: unservedText(unservedQueue) }
      : undefined,
  (shown, { lost }) =>
    lost !== undefined && lost.times > (shown.lost?.times ?? 0)
      ? { type: 'Warning', reason: 'DataLost', message: lostText(lost) }
      : undefined,
  (shown, next) => {
    const lost = lostTasks(next);
    const isNew = lost > 0 && lostTasks(shown) === 0 && next.finishedAt === undefined;
    return isNew
      ? { type: 'Warning', reason: 'TasksLost', message: `tasks were lost with their workers: ${lost} so far` }
      : undefined;
  },
];

function unservedText(queue: string): string {
  return `tasks wait in TaskQueue ${queue}, which no WorkerPool serves: make one whose spec.queues names it, or start a Celery worker for it`;
}

function wasStopped({ state }: WorkflowStatus): boolean {
  return state === 'Cancelled' || state === 'DeadlineExceeded';
}

/** Those that vanished, and those of which a worker said so. */
function lostTasks({ failures = [] }: WorkflowStatus): number {
  return failures.filter(({ type }) => type === 'WorkerLost' || lostWith.has(type)).length;
}

/** Tells the events of Workflows: never one per task, and none of a plain success. */
export class WorkflowEvents {
  readonly #recorder: Pick<EventRecorder, 'recordEvent'>;
  /** Told already: the very objects, as they were seen. */
  readonly #askedInVain = new WeakSet<Workflow>();

  constructor(recorder: Pick<EventRecorder, 'recordEvent'>) {
    this.#recorder = recorder;
  }

  /** For a status that was written over what the Workflow showed. */
  tellChange(workflow: Workflow, next: WorkflowStatus): void {
    for (const of of news) {
      const telling = of(workflow.status ?? {}, next, workflow);
      if (telling !== undefined) this.#tell(workflow, telling);
    }
    this.#tellEnd(workflow, next);
  }

  tellCancel(workflow: Workflow, { stage }: Pick<Evaluation, 'stage'>): void {
    const message =
      stage === 'Running'
        ? 'what waits is withdrawn, and what runs is asked to stop'
        : 'too late: its outcome stands already, and only its handlers are still to end';
    this.#tell(workflow, { type: 'Normal', reason: 'CancelRequested', message });
  }

  /** For `retryFailed` that was raised without clearing `cancel`. */
  tellAskedInVain(workflow: Workflow): void {
    if (this.#askedInVain.has(workflow)) return;
    this.#askedInVain.add(workflow);
    const { retryFailed } = settingsOf(workflow);
    const message = `spec.cancel is true, so retryFailed: ${retryFailed} begins no round; set cancel to false and retryFailed to ${retryFailed + 1} in one change`;
    this.#tell(workflow, { type: 'Warning', reason: 'RetryRefused', message });
  }

  #tellEnd(workflow: Workflow, next: WorkflowStatus): void {
    const condition = next.conditions?.find(({ type }) => type === 'Succeeded');
    if (condition?.status !== 'False') return;
    this.#tell(workflow, { type: 'Warning', reason: condition.reason as WorkflowReason, message: endText(next) });
  }

  #tell(regarding: Workflow, telling: Telling): void {
    this.#recorder.recordEvent({ resource: resources.workflows, regarding, action: 'Run', ...telling });
  }
}

/** Of an error only its type: its message may hold what a user passed, and events are read by many. */
function endText({ failures = [], conditions, progress = '', round = 0 }: WorkflowStatus): string {
  const [first] = failures;
  if (first === undefined) return conditions?.[0]?.message ?? `ended at ${progress}`;
  // Told apart from the end of another round, which may have failed of the same.
  return `${failedElement(first)} failed with ${first.type}${round === 0 ? '' : ` in round ${round}`}`;
}
