import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { encodeTaskId, type TaskId } from '#core/base/task-id.ts';
import type { Plan, TaskStep } from '#core/canvas/plan.ts';
import { carrierTask, encodeCarrier } from '#core/celery/carrier.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { signature } from '#core/celery/signature.ts';
import { keyHeader, type TaskMessageDraft } from '#core/celery/task-message.ts';
import { requestText, type Call, type DueCall, type FailedCall } from './call.ts';
import { isOfEngine, type Failure } from './failure.ts';
import { readSlot, type Slot, type Slots, type SlotState } from './slots.ts';

/** What every id and header of a run is made from. */
export interface RunIdentity {
  readonly uid: string;
  readonly run48: string;
  readonly round: number;
}

/** How a queue wants its messages. */
export interface MessageForm {
  /** The queue's name on the wire. */
  readonly queue: string;
  /** An unmodified Celery worker may take from it: errbacks travel in a carrier. */
  readonly carriesErrbacks: boolean;
}

export interface StepMessage {
  readonly message: string;
  readonly carried: boolean;
  /** A carrier reads how the task failed: this must stand in the result store before the message is published. */
  readonly prerequisite?: StoredFailure;
}

/** A FAILURE to be stored by the engine. */
export interface StoredFailure {
  readonly id: TaskId;
  readonly failure: Failure;
}

export function taskIdOf(run: RunIdentity, step: number, attempt: number): TaskId {
  return encodeTaskId({ run48: run.run48, round: run.round, step, member: 0, attempt, kind: 'Message' });
}

/** The id that an attempt's message has in a queue; a carried errback's result still comes under `taskIdOf`. */
export function messageIdOf(
  run: RunIdentity,
  step: number,
  { attempt, carried }: Pick<Slot, 'attempt' | 'carried'>,
): TaskId {
  return carried ? carrierIdOf(run, step, attempt) : taskIdOf(run, step, attempt);
}

function carrierIdOf(run: RunIdentity, step: number, attempt: number): TaskId {
  return encodeTaskId({ run48: run.run48, round: run.round, step, member: 0, attempt, kind: 'Carrier' });
}

/** Under this id the engine stores the outcome of the whole run, so that `AsyncResult` finds it. */
export function rootIdOf(run: RunIdentity): TaskId {
  return taskIdOf(run, 0, 0);
}

/** The message of a due step, complete. `deliveryTag` is unique per publication. */
export function messageFor(
  run: RunIdentity,
  plan: Plan,
  due: { readonly step: TaskStep; readonly call: DueCall; readonly slots: Slots },
  form: MessageForm & { readonly deliveryTag: string },
): StepMessage {
  const { step, call, slots } = due;
  const { attempt } = readSlot(slots, step.index);
  const common = {
    queue: form.queue,
    deliveryTag: form.deliveryTag,
    rootId: rootIdOf(run),
    parentId: parentOf(run, plan, step, slots),
    headers: new Map([[keyHeader, stringifyJson(`${run.uid}/${step.index}/0`)]]),
  };
  if (call.form === 'Plain') return plain(taskIdOf(run, step.index, attempt), step, call.call, common);
  const { own, failed } = call;
  const slot = readSlot(slots, failed.step.index);
  const failedId = taskIdOf(run, failed.step.index, slot.attempt);
  if (!form.carriesErrbacks) {
    const told = step.immutable
      ? []
      : [requestText(failedId, rootIdOf(run), failed), failed.failure.exc, failed.failure.traceback];
    const args = [...told, ...own.args];
    return plain(taskIdOf(run, step.index, attempt), step, { args, kwargs: own.kwargs }, common);
  }
  if (isStoredByWorker(slot.state, failed.failure))
    return carried(run, { step, own, failed, failedId, attempt }, common);
  const id = engineFailureId(run, failed.step.index, slot.attempt);
  const message = carried(run, { step, own, failed, failedId: id, attempt }, common);
  return { ...message, prerequisite: { id, failure: failed.failure } };
}

/** Lost, never sent, or judged by the engine: then there is none under the task's own id, or a SUCCESS. */
function isStoredByWorker(state: SlotState, failure: Failure): boolean {
  return (state === 'Failed' || state === 'Cancelled') && !isOfEngine(failure);
}

/**
 * Where the engine stores a failure that no worker stored. Not under the task's own id: a late worker's SUCCESS there, or
 * one that was too large, would make a carrier publish the failed task again.
 */
function engineFailureId(run: RunIdentity, step: number, attempt: number): TaskId {
  return carrierIdOf(run, step, attempt);
}

type Common = Pick<TaskMessageDraft, 'queue' | 'deliveryTag' | 'rootId' | 'parentId' | 'headers'>;

function plain(id: TaskId, step: TaskStep, call: Call, common: Common): StepMessage {
  const argsText = listText(call.args);
  const draft = { id, task: step.task, argsText, kwargsText: call.kwargs, ...common };
  return { message: encodeTaskMessage(draft), carried: false };
}

interface Errback {
  readonly step: TaskStep;
  readonly own: Call;
  readonly failed: FailedCall;
  readonly failedId: TaskId;
  readonly attempt: number;
}

function carried(run: RunIdentity, errback: Errback, common: Common): StepMessage {
  const { step, own, failed, failedId, attempt } = errback;
  const { argsText, kwargsText } = encodeCarrier({
    groupId: rootIdOf(run),
    failed: {
      id: failedId,
      task: failed.step.task,
      argsText: listText(failed.call.args),
      kwargsText: failed.call.kwargs,
    },
    handlerId: taskIdOf(run, step.index, attempt),
    errbacks: [
      signature(step.task, {
        argsText: listText(own.args),
        kwargsText: own.kwargs,
        immutable: step.immutable,
        options: new Map([['queue', stringifyJson(common.queue)]]),
      }),
    ],
  });
  const id = carrierIdOf(run, step.index, attempt);
  const draft = { id, task: carrierTask, argsText, kwargsText, ignoreResult: true, ...common };
  return { message: encodeTaskMessage(draft), carried: true };
}

/** The task whose value comes in, where it is one task: Celery's `parent_id`. */
function parentOf(run: RunIdentity, plan: Plan, step: TaskStep, slots: Slots): string | null {
  const source = step.role === 'LinkError' ? step.parent : step.input.from === 'Step' ? step.input.step : -1;
  return plan.steps[source]?.kind === 'Task' ? taskIdOf(run, source, readSlot(slots, source).attempt) : null;
}

function listText(items: readonly JsonText[]): JsonText {
  return (items.length === 0 ? '[]' : `[${items.join(', ')}]`) as JsonText;
}
