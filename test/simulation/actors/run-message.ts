import { elements } from '#core/base/json-span.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { decodeTaskId } from '#core/base/task-id.ts';
import { carrierTask, decodeCarrier } from '#core/celery/carrier.ts';
import { decodeMapCall, mapTask, starmapTask } from '#core/celery/map-call.ts';
import { statusOf } from '#core/celery/result-meta.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import { Violation } from '../oracle/violation.ts';
import type { Chunk, Execution, Told } from '../oracle/workflow-case.ts';

/** How a task's body ends, as the world decides it. */
export interface BodyEnd {
  readonly end: 'Succeeds' | 'Fails' | 'Retries';
  readonly text: string;
}

export interface Called extends Omit<Execution, 'succeeded' | 'text'> {
  readonly run48: string;
  /** Times that the task asked for it itself. */
  readonly retries: number;
  /** It did not end within its time limit. */
  readonly isTooLong: boolean;
  /** The queue's message named it so: `<uid>/<step>/<member>`. */
  readonly key: string;
}

/** What a worker stores of a message in the end. */
export interface Performed {
  readonly id: string;
  readonly status: string;
  readonly text: string;
}

export interface Running {
  /** The body of a task runs; says how it ends. */
  readonly execute: (called: Called) => BodyEnd;
  /** What the result store has under an id. */
  readonly storedText: (id: string) => string;
  /** Whether a run of this message has failed: with two copies of it another one may have stored a success since. */
  readonly hasFailed: (id: string) => boolean;
}

/** Calls the body that a message means. Throws the `Violation` that a message is which no worker should get. `isTooLong`: it was ended for its time limit. */
export function runMessage(message: TaskMessage, isTooLong: boolean, running: Running): Performed {
  if (message.task === carrierTask) return runCarrier(message, running);
  const { id, task, argsText, kwargsText } = message;
  const call = { id, ...calledBy(task, argsText, kwargsText) };
  const { end, text } = running.execute({ ...calledOf(message, call), retries: message.retries, isTooLong });
  return { id, status: statuses[end], text };
}

/** Of what no worker runs. */
export function revoked(id: string, why: 'revoked' | 'expired'): Performed {
  const text = `{"exc_type": "TaskRevokedError", "exc_message": ["${why}"], "exc_module": "celery.exceptions"}`;
  return { id, status: 'REVOKED', text };
}

const statuses = { Succeeds: 'SUCCESS', Fails: 'FAILURE', Retries: 'RETRY' } as const;

/** As an unmodified worker does: the errback gets the failed task's request; a ChordError says that it was called. */
function runCarrier(message: TaskMessage, { execute, storedText, hasFailed }: Running): Performed {
  const carrier = decodeCarrier(message.argsText);
  if (!carrier.ok) throw new Violation('P5', `a carrier that no worker can read: ${carrier.error.message}`);
  const { failed, handlerId: id, errbacks } = carrier.value;
  const told: Told = { task: failed.task, args: elements(failed.argsText) ?? [], kwargs: failed.kwargsText };
  // Two copies that ended apart are the broker's doing; what Celery makes of them then is not simulated.
  if (statusOf(storedText(failed.id)) === 'SUCCESS' && !hasFailed(failed.id))
    throw new Violation('P5', `a carrier for ${failed.task} finds a SUCCESS: it would run again`);
  for (const { task, argsText, kwargsText } of errbacks) {
    // It is called by another task, which cannot ask for it again.
    const called = calledOf(message, { id, task, argsText, kwargsText });
    execute({ ...called, told, retries: Infinity, isTooLong: false });
  }
  const text = '{"exc_type": "ChordError", "exc_message": ["raised"], "exc_module": "x"}';
  return { id, status: 'FAILURE', text };
}

interface BodyCall {
  readonly task: string;
  readonly argsText: JsonText;
  readonly kwargsText: JsonText;
  readonly chunk?: Chunk;
}

function calledOf(message: TaskMessage, call: BodyCall & { readonly id: string }) {
  const fields = decodeTaskId(call.id);
  if (fields === undefined) throw new Error(`${call.id} is not an id of ours`);
  const key = JSON.parse(message.headers.get('arpeggio_key') ?? '""') as string;
  const { task, argsText, kwargsText, chunk } = call;
  const args = elements(argsText) ?? [];
  return { ...fields, key, task, args, kwargs: kwargsText, ...(chunk === undefined ? {} : { chunk }) };
}

/** What is called in the end: a chunk is a call of a task that every worker has, which calls the one that is meant. */
function calledBy(task: string, argsText: JsonText, kwargsText: JsonText): BodyCall {
  if (task !== mapTask && task !== starmapTask) return { task, argsText, kwargsText };
  const decoded = decodeMapCall(kwargsText);
  if (!decoded.ok) throw new Error(`a chunk that no worker can read: ${decoded.error.message}`);
  const { call, items } = decoded.value;
  return { ...call, chunk: { by: task, items } };
}
