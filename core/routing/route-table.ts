import { fail, ok, type Result } from '#core/base/result.ts';
import { isGlob, literalPrefixLength, matchesGlob } from './glob.ts';

/** What routing needs to know of a TaskQueue. All queues of one table are of one namespace. */
export interface RoutedQueue {
  /** The TaskQueue's name. */
  readonly name: string;
  /** The queue's name on the wire. */
  readonly queueName: string;
  /** The Secret with the connection. */
  readonly connection: string;
  /** Task names or globs. */
  readonly routes: readonly string[];
}

/** Which queue a call asks for; the run's `defaultQueue` takes what nothing routes. Both name TaskQueues. */
export interface RouteWish {
  readonly task: string;
  readonly queue?: string;
  readonly defaultQueue?: string;
}

export interface RouteError {
  readonly reason: 'NoQueue' | 'RouteConflict';
  /** One sentence for a person, with the way out. */
  readonly message: string;
}

interface GlobRoute {
  readonly glob: string;
  readonly prefixLength: number;
  readonly queue: RoutedQueue;
}

/** The queues of one namespace, ready to be asked. Made anew when a TaskQueue changes. */
export interface RouteTable {
  readonly byName: ReadonlyMap<string, RoutedQueue>;
  readonly exact: ReadonlyMap<string, readonly RoutedQueue[]>;
  /** Longest literal beginning first. */
  readonly globs: readonly GlobRoute[];
}

/** The name of the TaskQueue that takes what nothing else does. */
const lastResort = 'default';

export function buildRouteTable(queues: readonly RoutedQueue[]): RouteTable {
  const routes = queues.flatMap((queue) => queue.routes.map((route) => ({ route, queue })));
  const exact = Map.groupBy(
    routes.filter(({ route }) => !isGlob(route)),
    ({ route }) => route,
  );
  const globs = routes
    .filter(({ route }) => isGlob(route))
    .map(({ route, queue }) => ({ glob: route, prefixLength: literalPrefixLength(route), queue }))
    .sort((a, b) => b.prefixLength - a.prefixLength);
  return {
    byName: new Map(queues.map((queue) => [queue.name, queue])),
    exact: new Map([...exact].map(([task, found]) => [task, found.map(({ queue }) => queue)])),
    globs,
  };
}

/**
 * Where a task goes: to the queue that the call names; else to the one whose route fits best (an exact name beats a glob,
 * a longer literal beginning beats a shorter); else to the run's default; else to the TaskQueue `default`.
 */
export function resolveQueue(table: RouteTable, wish: RouteWish): Result<RoutedQueue, RouteError> {
  if (wish.queue !== undefined) return named(table, wish.task, wish.queue, 'queue');
  const claimants = claimantsOf(table, wish.task);
  const [first, second] = claimants;
  if (first !== undefined && second !== undefined) return conflict(wish.task, claimants);
  if (first !== undefined) return ok(first);
  if (wish.defaultQueue !== undefined) return named(table, wish.task, wish.defaultQueue, 'defaultQueue');
  const fallback = table.byName.get(lastResort);
  if (fallback !== undefined) return ok(fallback);
  return fail({
    reason: 'NoQueue',
    message: `no TaskQueue takes task ${wish.task}: add it to the routes of one, name a queue, or create the TaskQueue "${lastResort}"`,
  });
}

function named(table: RouteTable, task: string, name: string, field: string): Result<RoutedQueue, RouteError> {
  const queue = table.byName.get(name);
  if (queue !== undefined) return ok(queue);
  const message = `task ${task} asks for ${field} "${name}", and there is no TaskQueue of that name in this namespace: create it, or name another`;
  return fail({ reason: 'NoQueue', message });
}

/** The queues whose routes fit best, each once: more than one is a conflict. */
function claimantsOf(table: RouteTable, task: string): readonly RoutedQueue[] {
  const exact = table.exact.get(task);
  if (exact !== undefined) return distinct(exact);
  const best = table.globs.find(({ glob }) => matchesGlob(glob, task));
  if (best === undefined) return [];
  const equals = table.globs.filter(
    ({ prefixLength, glob }) => prefixLength === best.prefixLength && matchesGlob(glob, task),
  );
  return distinct(equals.map(({ queue }) => queue));
}

function distinct(queues: readonly RoutedQueue[]): readonly RoutedQueue[] {
  return [...new Set(queues)];
}

function conflict(task: string, queues: readonly RoutedQueue[]): Result<never, RouteError> {
  const names = queues.map(({ name }) => name).sort();
  const message = `TaskQueues ${names.join(' and ')} claim task ${task} equally: take its route from all but one, or write the task's full name there`;
  return fail({ reason: 'RouteConflict', message });
}
