import type { ConnectionRef } from '../connections/connection-state.ts';
import type { Reflectors } from './reflectors.ts';
import { queuesOf, wireNameOf } from './routed-queue.ts';

/**
 * The TaskQueues by which a queue on the wire is known, if no WorkerPool names one of them; else none. Celery workers
 * outside of pools may serve it all the same.
 */
export function unservedTaskQueues(
  reflectors: Pick<Reflectors, 'taskQueues' | 'workerPools'>,
  { ref, queueName }: { readonly ref: ConnectionRef; readonly queueName: string },
): readonly string[] {
  const names = queuesOf(reflectors, ref)
    .filter((queue) => wireNameOf(queue) === queueName)
    .map(({ metadata }) => metadata.name);
  const isServed = reflectors.workerPools
    .group(ref.namespace)
    .some(
      ({ metadata, spec }) =>
        metadata.deletionTimestamp === undefined && spec.queues.some((name) => names.includes(name)),
    );
  return isServed ? [] : names;
}
