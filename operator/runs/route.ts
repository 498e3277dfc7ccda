/** How a message reaches a queue. */
export interface Route {
  /** The queue's name on the wire. */
  readonly queue: string;
  /** An unmodified Celery worker may take from it. */
  readonly carriesErrbacks: boolean;
  /** Set when absence can be judged: every consumer acknowledges late and keeps our books. */
  readonly isWatched: boolean;
  /** The database of the run's home in which the queue is, or a broker elsewhere. */
  readonly place: { readonly db: number } | { readonly broker: string };
  readonly list: string;
  readonly bell: string;
}

/** Why a step waits although it is due. */
export interface NoRoute {
  readonly reason: string;
  readonly message: string;
}

/** Finds the route of a task by what is known of queues now; asked again at each publish. */
export type Router = (task: string, queue: string | undefined) => Route | NoRoute;

export function isRoute(found: Route | NoRoute): found is Route {
  return 'list' in found;
}
