import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { SimulatedOperator } from './actors/simulated-operator.ts';
import { namespace } from './surroundings.ts';

/** An operator hears of a TaskQueue; and, unless unmodified Celery serves it, of a WorkerPool. */
export function tellQueue(
  operator: SimulatedOperator,
  name: string,
  { connection, isCelery }: { readonly connection: string; readonly isCelery: boolean },
): void {
  operator.queues.put({ metadata: metadataOf(name), spec: { connection } } as unknown as TaskQueue);
  if (isCelery) return;
  operator.pools.put({ metadata: metadataOf(`pool-${name}`), spec: { queues: [name] } } as unknown as WorkerPool);
}

function metadataOf(name: string): TaskQueue['metadata'] {
  return {
    ...{ name, namespace, uid: `u-${name}`, resourceVersion: '1', generation: 1 },
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
}
