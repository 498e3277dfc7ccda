import { encodeResultMeta } from '#core/celery/result-meta.ts';
import { failureOf, firstFailed } from '#core/workflow/call.ts';
import { engineFailure } from '#core/workflow/failure.ts';
import { rootIdOf } from '#core/workflow/message.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { valueOf } from '#core/workflow/value.ts';
import type { LiveRun } from './live-run.ts';
import type { RunPorts } from './run-ports.ts';

/**
 * Stores the outcome of a run under its root's id, so that `AsyncResult` from anywhere finds it. Repeats are harmless.
 * Where the root is a task whose first attempt ended it, the worker's own result stands there already.
 */
export async function concludeRun(run: LiveRun, ports: Pick<RunPorts, 'results' | 'clock'>): Promise<void> {
  const { plan, state } = run.view;
  if (plan.steps[0]?.kind === 'Task' && readSlot(state.slots, 0).attempt === 0) return;
  const id = rootIdOf(run.identity);
  await ports.results.store([{ id, text: outcomeText(run, id, new Date(ports.clock.nowMs()).toISOString()) }]);
}

function outcomeText(run: LiveRun, id: string, now: string): string {
  const { plan, state, evaluation } = run.view;
  const dateDone = now.replace('Z', '+00:00');
  if (evaluation.states[0] === 'Succeeded') {
    return encodeResultMeta({ id, status: 'SUCCESS', resultText: valueOf(plan, state, 0), dateDone });
  }
  const failed = firstFailed(plan, evaluation, 0);
  const failure = failed === undefined ? engineFailure('Cancelled', 'the run was cancelled') : failureOf(state, failed);
  const traceback: unknown = JSON.parse(failure.traceback);
  return encodeResultMeta({
    id,
    status: evaluation.states[0] === 'Cancelled' ? 'REVOKED' : 'FAILURE',
    resultText: failure.exc,
    traceback: typeof traceback === 'string' ? traceback : null,
    dateDone,
  });
}
