import { globsOverlap, isGlob, literalPrefixLength } from './glob.ts';
import type { RoutedQueue } from './route-table.ts';

/** Two queues that claim some task equally, so that it would wait. */
export interface RouteConflict {
  readonly route: string;
  readonly other: RoutedQueue;
  readonly otherRoute: string;
}

/** The first route of `queue` that another queue claims equally, or undefined. */
export function findRouteConflict(queue: RoutedQueue, others: readonly RoutedQueue[]): RouteConflict | undefined {
  for (const other of others) {
    if (other.name === queue.name) continue;
    for (const route of queue.routes) {
      const otherRoute = other.routes.find((each) => claimEqually(route, each));
      if (otherRoute !== undefined) return { route, other, otherRoute };
    }
  }
  return undefined;
}

function claimEqually(one: string, other: string): boolean {
  if (one === other) return true;
  if (!isGlob(one) || !isGlob(other)) return false;
  return literalPrefixLength(one) === literalPrefixLength(other) && globsOverlap(one, other);
}
