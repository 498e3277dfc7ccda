import { defaultConnectionName } from '#core/resources/task-queue.ts';
import type { RoutedQueue } from '#core/routing/route-table.ts';
import { fieldsOf, type Manifest } from '../manifest/manifest.ts';

/** A TaskQueue of a file as routing sees it. */
export function routedQueueOf({ name, value }: Manifest): RoutedQueue {
  const { queueName, connection, routes } = fieldsOf(fieldsOf(value)['spec']);
  return {
    name,
    queueName: typeof queueName === 'string' ? queueName : name,
    connection: typeof connection === 'string' ? connection : defaultConnectionName,
    routes: Array.isArray(routes) ? routes.filter((route) => typeof route === 'string') : [],
  };
}
