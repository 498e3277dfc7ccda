import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { StoredFailure } from '#core/workflow/message.ts';
import type { RunPorts } from './run-ports.ts';

/** Stores failures that no worker stored, for the carriers that will ask for them. Repeats are harmless. */
export async function storeFailures(
  failures: readonly StoredFailure[],
  { results, clock }: Pick<RunPorts, 'results' | 'clock'>,
): Promise<void> {
  if (failures.length === 0) return;
  const dateDone = new Date(clock.nowMs()).toISOString().replace('Z', '+00:00');
  const writes = failures.map(({ id, failure }) => {
    const traceback: unknown = JSON.parse(failure.traceback);
    const text = { traceback: typeof traceback === 'string' ? traceback : null, resultText: failure.exc };
    return { id, text: encodeResultMeta({ id, status: 'FAILURE', dateDone, ...text }) };
  });
  await results.store(writes);
}
