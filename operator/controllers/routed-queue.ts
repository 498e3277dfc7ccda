import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { RoutedQueue } from '#core/routing/route-table.ts';

/** The queue's name on the wire. */
export function wireNameOf({ metadata, spec }: TaskQueue): string {
  return spec.queueName ?? metadata.name;
}

/** A TaskQueue as routing sees it. */
export function routedQueueOf(queue: TaskQueue): RoutedQueue {
  const { connection, routes = [] } = queue.spec;
  return { name: queue.metadata.name, queueName: wireNameOf(queue), connection, routes };
}
