import type { Delivery } from '#io/brokers/broker.ts';
import type { WorkerPorts } from './worker-ports.ts';

/** Gives back what was not begun. While the broker is away this stays in the worker's hands, and goes back with it. */
export async function handBack(
  deliveries: readonly Delivery[],
  { consumer, lease, log }: Pick<WorkerPorts, 'consumer' | 'lease' | 'log'>,
): Promise<void> {
  if (deliveries.length === 0) return;
  try {
    await consumer.handBack(deliveries);
    lease.released(deliveries.map(({ tag }) => tag));
  } catch (error) {
    const fields = { error: (error as Error).message };
    log.warn(fields, 'could not hand messages back; they go back with this worker');
  }
}
