import { decodeCarrier, type Carrier } from '#core/celery/carrier.ts';
import { celeryException, encodeException, exceptionRepr } from '#core/celery/exception.ts';
import { decodeResultMeta, type ResultMeta } from '#core/celery/result-meta.ts';
import { encodeSignature, type Signature } from '#core/celery/signature.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import { isoOf } from '#core/base/iso-date.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { errbackArgs, errbackDrafts, takesFailure } from '#core/execution/errbacks.ts';
import type { Outcome, Raised } from '#core/execution/outcome.ts';
import { nothing, type Leavings } from '#core/execution/settle.ts';
import type { SettleContext } from '#core/execution/settle-context.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import { settlementOf } from './perform.ts';
import { persist } from './persist.ts';
import type { Settler } from './settler.ts';
import type { WorkerPorts } from './worker-ports.ts';

export interface CarryPorts {
  readonly ports: Pick<WorkerPorts, 'results' | 'log' | 'after'>;
  readonly settler: Settler;
  readonly context: SettleContext;
  /** Runs a task of this worker, here and now. Undefined when the worker cut it off: the carrier goes back to its queue. */
  readonly run: (message: TaskMessage) => Promise<Outcome | undefined>;
}

/**
 * Does what Celery does with an errback carrier: calls the errbacks with the failed task's request and error, and stores
 * a ChordError under the handler's id, which says so. A task that succeeded is never run again because of it.
 */
export async function carry(delivery: Delivery, message: TaskMessage, given: CarryPorts): Promise<void> {
  const { settler, context, ports } = given;
  const carrier = decodeCarrier(message.argsText);
  if (!carrier.ok) {
    const deadLetter = { reason: carrier.error.code, message: carrier.error.message };
    return settler.settle(settlementOf(delivery, { ...nothing, deadLetter }));
  }
  const raised = await raisedBy(carrier.value, ports);
  const store = [handlerMeta(carrier.value, raised, context)];
  if (raised === 'Succeeded') return settler.settle(settlementOf(delivery, { ...nothing, store }));
  const asFailed = { ...message, ...carrier.value.failed };
  const [here, elsewhere] = partition(carrier.value.errbacks, context);
  for (const errback of here) {
    const argsText = errbackArgs(errback, asFailed, raised, context);
    const call = { ...message, id: context.newId(), task: errback.task, argsText, kwargsText: errback.kwargsText };
    const outcome = await given.run(call);
    if (outcome === undefined) return;
    if (outcome.kind === 'Revoked')
      return settler.settle(settlementOf(delivery, revokedHandler(carrier.value, context)));
    if (outcome.kind !== 'Succeeded')
      ports.log.warn({ task: errback.task, taskId: call.id, outcome: outcome.kind }, 'an errback did not succeed');
  }
  const embed = { ...message.embed, errbacks: elsewhere.map(encodeSignature) };
  const { drafts } = errbackDrafts({ ...asFailed, embed }, raised, context);
  return settler.settle(settlementOf(delivery, { ...nothing, publish: drafts, store }));
}

/** How the failed task stands in the result store. */
async function raisedBy(
  { failed }: Carrier,
  ports: Pick<WorkerPorts, 'results' | 'log' | 'after'>,
): Promise<Raised | 'Succeeded'> {
  const [text] = await persist(ports, () => ports.results.read([failed.id]));
  const stored = text === undefined ? undefined : decodeResultMeta(text);
  if (stored?.ok === true && stored.value.status === 'SUCCESS') return 'Succeeded';
  if (stored?.ok !== true || stored.value.excType === undefined) {
    return { exception: celeryException('ChordError', `no failure is stored of ${failed.id}`), traceback: null };
  }
  const {
    excType: type,
    excMessageText: messageText = '[]' as JsonText,
    excModule: module = '',
    traceback,
  } = stored.value;
  return { exception: { type, messageText, module }, traceback };
}

function handlerMeta(
  { handlerId, failed }: Carrier,
  raised: Raised | 'Succeeded',
  { nowMs }: SettleContext,
): ResultMeta {
  const text =
    raised === 'Succeeded' ? `${failed.id} succeeded; no errback was called` : exceptionRepr(raised.exception);
  const resultText = encodeException(celeryException('ChordError', text));
  return { id: handlerId, status: 'FAILURE', resultText, children: [], traceback: null, dateDone: isoOf(nowMs) };
}

/** Who waits for the handler learns that it was ended. */
function revokedHandler({ handlerId: id }: Carrier, { nowMs }: SettleContext): Leavings {
  const resultText = encodeException(celeryException('TaskRevokedError', 'terminated'));
  const meta = { id, status: 'REVOKED', resultText, children: [], traceback: null, dateDone: isoOf(nowMs) };
  return { ...nothing, store: [meta] };
}

function partition(
  errbacks: readonly Signature[],
  context: SettleContext,
): [here: Signature[], elsewhere: Signature[]] {
  const isHere = ({ task }: Signature): boolean => takesFailure(task, context);
  return [errbacks.filter(isHere), errbacks.filter((each) => !isHere(each))];
}
