import { isoOf } from '#core/base/iso-date.ts';
import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { encodeTaskId, type TaskId } from '#core/base/task-id.ts';
import type { TaskStep } from '#core/canvas/plan.ts';
import { carrierTask, encodeCarrier } from '#core/celery/carrier.ts';
import { celeryPriority } from '#core/celery/celery-priority.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { signature } from '#core/celery/signature.ts';
import { keyHeader, onLostHeader, type TaskMessageDraft } from '#core/celery/task-message.ts';
import { requestText, type Call, type DueCall, type FailedCall } from './call.ts';
import { expiresAtMs } from './expiry.ts';
import type { RunView } from './run-view.ts';
import { isOfEngine, type Failure } from './failure.ts';
import { slotOf } from './layout.ts';
import { hasEnded, readSlot, tickMs, type Slot, type SlotState } from './slots.ts';
import type { StepMember } from './value.ts';

/** What every id and header of a run is made from. */
export interface RunIdentity {
  readonly uid: string;
  readonly run48: string;
  readonly round: number;
  /** When rounds 1, 2, … began, in ticks. */
  readonly roundsAt: readonly number[];
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

/** One attempt of one member of a step. */
export interface AttemptPlace extends StepMember {
  readonly attempt: number;
}

/** The id of an attempt in the round that runs now. */
export function taskIdOf(run: Pick<RunIdentity, 'run48' | 'round'>, { step, member, attempt }: AttemptPlace): TaskId {
  return encodeTaskId({ run48: run.run48, round: run.round, step, member, attempt, kind: 'Message' });
}

/** The id of the attempt that a slot tells of: what ended in an earlier round has its id from then. */
export function endedTaskId(run: RunIdentity, at: StepMember, slot: Slot): TaskId {
  const round = hasEnded(slot.state) ? roundAt(run, slot.atTicks) : run.round;
  return taskIdOf({ run48: run.run48, round }, { ...at, attempt: slot.attempt });
}

/** The round that ran at a moment. */
function roundAt({ round, roundsAt }: RunIdentity, ticks: number): number {
  const before = roundsAt.filter((begin) => begin <= ticks).length;
  return Math.min(round, before);
}

/** The id that an attempt's message has in a queue; a carried errback's result still comes under `taskIdOf`. */
export function messageIdOf(
  run: RunIdentity,
  at: StepMember,
  { attempt, carried }: Pick<Slot, 'attempt' | 'carried'>,
): TaskId {
  return carried ? carrierIdOf(run, { ...at, attempt }) : taskIdOf(run, { ...at, attempt });
}

function carrierIdOf(run: RunIdentity, { step, member, attempt }: AttemptPlace): TaskId {
  return encodeTaskId({ run48: run.run48, round: run.round, step, member, attempt, kind: 'Carrier' });
}

/** Under this id the engine stores the outcome of the whole run, so that `AsyncResult` finds it. */
export function rootIdOf(run: RunIdentity): TaskId {
  return taskIdOf(run, { step: 0, member: 0, attempt: 0 });
}

/** A step whose turn has come. */
export interface DueMessage {
  readonly step: TaskStep;
  readonly member: number;
  readonly call: DueCall;
  /** By the clock of the run's Redis. */
  readonly nowMs: number;
}

/** The message of a due step, complete. `deliveryTag` is unique per publication. */
export function messageFor(
  run: RunIdentity,
  view: Pick<RunView, 'plan' | 'state'>,
  due: DueMessage,
  form: MessageForm & { readonly deliveryTag: string },
): StepMessage {
  const { step, member, call } = due;
  const { attempt } = readSlot(view.state.slots, slotOf(view.plan, view.state.maps, step.index, member));
  const own: AttemptPlace = { step: step.index, member, attempt };
  const common = commonOf(run, view, due, form);
  if (call.form === 'Plain') return plain(taskIdOf(run, own), call.call, common);
  const { failed } = call;
  const slot = readSlot(view.state.slots, slotOf(view.plan, view.state.maps, failed.step, failed.member));
  const failedId = endedTaskId(run, failed, slot);
  if (!form.carriesErrbacks) {
    const told = step.immutable
      ? []
      : [requestText(failedId, rootIdOf(run), failed), failed.failure.exc, failed.failure.traceback];
    return plain(taskIdOf(run, own), { ...call.own, args: [...told, ...call.own.args] }, common);
  }
  const errback = { own, step, call: call.own, failed };
  if (staysStored(slot.state, failed.failure)) return carried(run, { ...errback, failedId }, common);
  const id = carrierIdOf(run, { ...failed, attempt: slot.attempt });
  return { ...carried(run, { ...errback, failedId: id }, common), prerequisite: { id, failure: failed.failure } };
}

function commonOf(
  run: RunIdentity,
  { plan, state }: Pick<RunView, 'plan' | 'state'>,
  { step, member, nowMs }: DueMessage,
  form: MessageForm & { readonly deliveryTag: string },
): Common {
  const { timeLimitMs, softTimeLimitMs, priority } = step;
  const slot = readSlot(state.slots, slotOf(plan, state.maps, step.index, member));
  const expiryMs = expiresAtMs(step, slot.state === 'Scheduled' ? state.begunAtMs + slot.atTicks * tickMs : nowMs);
  return {
    queue: form.queue,
    deliveryTag: form.deliveryTag,
    rootId: rootIdOf(run),
    parentId: parentOf(run, { plan, state }, step, member),
    headers: headersOf(run, step, member),
    priority: celeryPriority(priority),
    timelimit: [secondsOf(timeLimitMs), secondsOf(softTimeLimitMs)],
    ...(expiryMs === undefined ? {} : { expires: isoOf(expiryMs) }),
  };
}

function headersOf({ uid }: RunIdentity, { index, retry }: TaskStep, member: number): ReadonlyMap<string, JsonText> {
  const key = [keyHeader, stringifyJson(`${uid}/${index}/${member}`)] as const;
  // Whoever takes a dead worker's message out of its hands knows nothing else of the step.
  return new Map(retry?.onLost === 'Fail' ? [key, [onLostHeader, stringifyJson('Fail')]] : [key]);
}

function secondsOf(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1_000;
}

/** Lost, never sent, or judged by the engine: then there is none under the task's own id, or a SUCCESS. */
export function isStoredByWorker(state: SlotState, failure: Failure): boolean {
  return (state === 'Failed' || state === 'Continued' || state === 'Cancelled') && !isOfEngine(failure);
}

/** A SUCCESS takes the place of REVOKED: of a message that was there twice one copy may be revoked and the other succeed. */
function staysStored(state: SlotState, failure: Failure): boolean {
  return state !== 'Cancelled' && isStoredByWorker(state, failure);
}

/*
 * Where no worker stored the failure, or not for good, the engine stores it under the carrier's id of the failed attempt.
 * Not under the task's own: a late worker's SUCCESS there, or one that was too large, would make a carrier publish the
 * failed task again.
 */

type Common = Omit<TaskMessageDraft, 'id' | 'task' | 'argsText' | 'kwargsText'>;

function plain(id: TaskId, { task, args, kwargs }: Call, common: Common): StepMessage {
  const draft = { ...common, id, task, argsText: listText(args), kwargsText: kwargs };
  return { message: encodeTaskMessage(draft), carried: false };
}

interface Errback {
  readonly own: AttemptPlace;
  readonly step: TaskStep;
  readonly call: Call;
  readonly failed: FailedCall;
  readonly failedId: TaskId;
}

function carried(run: RunIdentity, { own, step, call, failed, failedId }: Errback, common: Common): StepMessage {
  const { argsText, kwargsText } = encodeCarrier({
    groupId: rootIdOf(run),
    failed: {
      id: failedId,
      task: failed.call.task,
      argsText: listText(failed.call.args),
      kwargsText: failed.call.kwargs,
    },
    handlerId: taskIdOf(run, own),
    errbacks: [
      signature(step.task, {
        argsText: listText(call.args),
        kwargsText: call.kwargs,
        immutable: step.immutable,
        options: new Map([['queue', stringifyJson(common.queue)]]),
      }),
    ],
  });
  // A worker that refuses a carrier as expired says so under an id that nobody looks for; the engine takes it back in time.
  const { expires: _expires, ...rest } = common;
  const draft = { ...rest, id: carrierIdOf(run, own), task: carrierTask, argsText, kwargsText, ignoreResult: true };
  return { message: encodeTaskMessage(draft), carried: true };
}

/** The task whose value comes in, where it is one task: Celery's `parent_id`. */
function parentOf(
  run: RunIdentity,
  { plan, state }: Pick<RunView, 'plan' | 'state'>,
  step: TaskStep,
  member: number,
): string | null {
  const source = step.role === 'LinkError' ? step.parent : step.input.from === 'Step' ? step.input.step : -1;
  if (plan.steps[source]?.kind !== 'Task') return null;
  const at = { step: source, member };
  return endedTaskId(run, at, readSlot(state.slots, slotOf(plan, state.maps, source, member)));
}

function listText(items: readonly JsonText[]): JsonText {
  return (items.length === 0 ? '[]' : `[${items.join(', ')}]`) as JsonText;
}
