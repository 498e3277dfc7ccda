import { byQueue, type Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';

/**
 * Takes messages back that no worker has claimed yet, and answers which. Best effort: what a broker refuses is logged,
 * and stays as it is.
 */
export async function withdraw(
  outstanding: readonly Outstanding[],
  { broker, log }: Pick<RunPorts, 'broker' | 'log'>,
): Promise<readonly Outstanding[]> {
  const withdrawn: Outstanding[] = [];
  for (const [queue, sent] of byQueue(outstanding)) {
    try {
      const removed = await broker.withdraw(queue, new Set(sent.map(({ messageId }) => messageId)));
      withdrawn.push(...sent.filter(({ messageId }) => removed.has(messageId)));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.warn({ queue, error: message }, 'could not take back what waits; its results will be ignored');
    }
  }
  return withdrawn;
}
