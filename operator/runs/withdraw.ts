import { messageIdOf } from '#core/workflow/message.ts';
import { isInFlight, readSlot } from '#core/workflow/slots.ts';
import type { LiveRun } from './live-run.ts';
import type { RunPorts } from './run-ports.ts';

/** Takes back the messages of a run that no worker has claimed yet. Best effort: what a broker refuses is logged. */
export async function withdrawRun(run: LiveRun, { broker, log }: Pick<RunPorts, 'broker' | 'log'>): Promise<void> {
  const byQueue = new Map<string, Set<string>>();
  const { plan, state } = run.view;
  for (const step of plan.steps) {
    const slot = readSlot(state.slots, step.index);
    const queue = isInFlight(slot.state) ? run.queueOf(step.index) : undefined;
    if (queue === undefined) continue;
    byQueue.set(queue, (byQueue.get(queue) ?? new Set()).add(messageIdOf(run.identity, step.index, slot)));
  }
  for (const [queue, ids] of byQueue) {
    try {
      await broker.withdraw(queue, ids);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.warn(
        { workflow: run.key.uid, queue, error: message },
        'could not take back what waits; its results will be ignored',
      );
    }
  }
}
