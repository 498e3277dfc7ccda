import { arrayOf } from '#core/base/json-span.ts';
import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { celeryException } from '#core/celery/exception.ts';
import { decodeMapCall, mapTask, starmapTask } from '#core/celery/map-call.ts';
import type { CallHost, CallOutcome, TaskCall } from './call.ts';
import type { Registry } from './registry.ts';
import { raisedBy, runTask } from './run-task.ts';
import { isFinal } from './stop-error.ts';

/** Between items, other work and the word to stop get their turn this often. */
const TURN_MS = 10;

export function isMap(task: string): boolean {
  return task === mapTask || task === starmapTask;
}

/**
 * Celery's `celery.map` and `celery.starmap`: the task is called for each item, one after the other; the first that does
 * not succeed decides for all. Each item sees the request of the whole map, under the task's own name.
 */
export async function runMap(registry: Registry, call: TaskCall, host: CallHost): Promise<CallOutcome> {
  const decoded = decodeMapCall(call.kwargsText);
  if (!decoded.ok) return typeError(decoded.error.message);
  const { call: each, items } = decoded.value;
  const task = registry.get(each.task);
  if (task === undefined) {
    return { kind: 'Failed', exception: celeryException('NotRegistered', each.task), traceback: null };
  }
  const request = { ...call.request, task: each.task };
  const results: JsonText[] = [];
  let turnMs = performance.now();
  for (const item of items) {
    const argsText = call.request.task === mapTask ? arrayOf([item]) : item;
    if (!argsText.startsWith('[')) return typeError('an item of celery.starmap is not a list of arguments');
    const outcome = await runTask(task, { request, argsText, kwargsText: '{}' as JsonText }, host);
    if (outcome.kind !== 'Succeeded') return outcome;
    results.push(outcome.resultText);
    if (performance.now() - turnMs < TURN_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    const signal = host.signal();
    if (signal.aborted && isFinal(signal.reason)) return { kind: 'Failed', ...raisedBy(signal.reason, 'arpeggio') };
    turnMs = performance.now();
  }
  return { kind: 'Succeeded', resultText: arrayOf(results) };
}

function typeError(message: string): CallOutcome {
  const exception = { type: 'TypeError', messageText: stringifyJson([message]), module: 'builtins' };
  return { kind: 'Failed', exception, traceback: null };
}
