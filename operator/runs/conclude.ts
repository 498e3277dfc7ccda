import { wayToRaise } from '#core/base/payload-limits.ts';
import { isLongerThan } from '#core/base/utf8-length.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import { failedWithin, failureAt } from '#core/workflow/failed-member.ts';
import { engineFailure, type Failure } from '#core/workflow/failure.ts';
import { isStoredByWorker, rootIdOf } from '#core/workflow/message.ts';
import { slotToRunAgain } from '#core/workflow/run-again.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { failureOfValue } from '#core/workflow/value-failure.ts';
import { valueOf } from '#core/workflow/value.ts';
import type { LiveRun } from './live-run.ts';
import type { RunPorts } from './run-ports.ts';

/**
 * Stores the outcome of a run under its root's id, so that `AsyncResult` from anywhere finds it. Repeats are harmless.
 * Answers the slots of tasks that are to run again instead, because what they made of it is gone; none once it is stored.
 */
export async function concludeRun(
  run: LiveRun,
  ports: Pick<RunPorts, 'results' | 'clock'>,
): Promise<ReadonlySet<number>> {
  if (isOwnResult(run)) return new Set();
  const id = rootIdOf(run.identity);
  const value = run.view.evaluation.states[0] === 'Succeeded' ? rootValue(run) : failureOfRoot(run);
  if (typeof value === 'object' && 'runAgain' in value) return new Set([value.runAgain]);
  await ports.results.store([
    { id, text: outcomeText(run, { id, value }, new Date(ports.clock.nowMs()).toISOString()) },
  ]);
  return new Set();
}

/** Where the root is a task whose first attempt ended it, what its worker stored stands there already. */
function isOwnResult(run: LiveRun): boolean {
  const { plan, state } = run.view;
  const slot = readSlot(state.slots, 0);
  if (plan.steps[0]?.kind !== 'Task' || run.identity.round > 0 || slot.attempt > 0) return false;
  if (slot.state === 'Succeeded') return true;
  return state.kept.get(0) !== undefined && isStoredByWorker(slot.state, failureAt(run.view, { step: 0, member: 0 }));
}

interface Outcome {
  readonly id: string;
  readonly value: JsonText | Failure;
}

function outcomeText({ view: { evaluation } }: LiveRun, { id, value }: Outcome, now: string): string {
  const dateDone = now.replace('Z', '+00:00');
  if (typeof value === 'string') return encodeResultMeta({ id, status: 'SUCCESS', resultText: value, dateDone });
  const failure = value;
  const traceback: unknown = JSON.parse(failure.traceback);
  return encodeResultMeta({
    id,
    status: evaluation.states[0] === 'Cancelled' ? 'REVOKED' : 'FAILURE',
    resultText: failure.exc,
    traceback: typeof traceback === 'string' ? traceback : null,
    dateDone,
  });
}

/** A run whose value was lost, or is too large, after all succeeded has ended all the same, and its waiters are told why. */
function rootValue(run: LiveRun): JsonText | Failure | { readonly runAgain: number } {
  const { plan, state, payloadLimits } = run.view;
  try {
    const text = valueOf(plan, state, { step: 0, member: 0 });
    if (!isLongerThan(text, payloadLimits.listBytes)) return text;
    const wayOut = `the results of its tasks are there; return references instead of values; ${wayToRaise('listBytes')}`;
    const size = `its result is more than ${payloadLimits.listBytes} bytes`;
    return engineFailure('ResultTooLarge', `spec: ${size}; ${wayOut}`);
  } catch (error) {
    const runAgain = slotToRunAgain(plan, state, error);
    if (runAgain !== undefined) return { runAgain };
    const failure = failureOfValue(error);
    if (failure === undefined) throw error;
    return failure;
  }
}

function failureOfRoot(run: LiveRun): Failure {
  return failureAt(run.view, failedWithin(run.view, { step: 0, member: 0 }));
}
