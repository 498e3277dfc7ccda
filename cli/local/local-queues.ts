import { queueKey, queueKeys } from '#core/celery/queue-key.ts';
import { defaultConnectionName } from '#core/resources/task-queue.ts';
import { buildRouteTable, resolveQueue, type RoutedQueue } from '#core/routing/route-table.ts';
import type { Router } from '#operator/runs/route.ts';

/** The queue of tasks that name none and that no route takes. */
const lastResort = 'default';

/** The queues of a run in one process: those of its file, and every other that is named exists as well. */
export class LocalQueues {
  readonly router: Router;
  /** Names on the wire. */
  readonly names: readonly string[];
  readonly #byList: ReadonlyMap<string, { readonly queue: string; readonly priority: number }>;

  constructor(declared: readonly RoutedQueue[], named: Iterable<string>, defaultQueue: string | undefined) {
    const names = [...new Set([...named, ...(defaultQueue === undefined ? [] : [defaultQueue]), lastResort])];
    const made = names.filter((name) => declared.every((queue) => queue.name !== name)).map(bareQueue);
    const queues = [...declared, ...made];
    const table = buildRouteTable(queues);
    this.names = [...new Set(queues.map(({ queueName }) => queueName))];
    this.#byList = new Map(
      this.names.flatMap((queue) =>
        queueKeys(queue).map((list, index) => [list, { queue, priority: index * prioritiesPerList }]),
      ),
    );
    this.router = (task, queue) => {
      const wish = { task, ...(queue === undefined ? {} : { queue }) };
      const found = resolveQueue(table, defaultQueue === undefined ? wish : { ...wish, defaultQueue });
      return found.ok ? routeTo(found.value) : found.error;
    };
  }

  /** The queue that a list belongs to, and a priority that leads to that list. */
  ofList(list: string): { readonly queue: string; readonly priority: number } {
    return this.#byList.get(list) ?? { queue: list, priority: 0 };
  }
}

/** A queue has four lists, for priorities 0–2, 3–5, 6–8 and 9. */
const prioritiesPerList = 3;

function bareQueue(name: string): RoutedQueue {
  return { name, queueName: name, connection: defaultConnectionName, routes: [] };
}

function routeTo({ queueName }: RoutedQueue) {
  return {
    queue: queueName,
    carriesErrbacks: false,
    isWatched: true,
    isAsked: false,
    place: { db: 0 },
    list: (celeryPriority: number) => queueKey(queueName, celeryPriority),
    bell: `bell:${queueName}`,
  };
}
