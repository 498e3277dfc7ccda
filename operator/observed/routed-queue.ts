import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { RoutedQueue } from '#core/routing/route-table.ts';
import type { ConnectionRef } from '../connections/connection-state.ts';
import type { Reflectors } from './reflectors.ts';

/** The TaskQueues that use a connection. */
export function queuesOf(
  { taskQueues }: Pick<Reflectors, 'taskQueues'>,
  { namespace, name }: ConnectionRef,
): readonly TaskQueue[] {
  return taskQueues.group(namespace).filter(({ spec }) => spec.connection === name);
}

/** The queue's name on the wire. */
export function wireNameOf({ metadata, spec }: TaskQueue): string {
  return spec.queueName ?? metadata.name;
}

/** A TaskQueue as routing sees it. */
export function routedQueueOf(queue: TaskQueue): RoutedQueue {
  const { connection, routes = [] } = queue.spec;
  return { name: queue.metadata.name, queueName: wireNameOf(queue), connection, routes };
}
