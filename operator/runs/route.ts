import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { TaskStep } from '#core/canvas/plan.ts';
import { isEscalated } from '#core/workflow/due-way.ts';
import type { Slot } from '#core/workflow/slots.ts';

/** How a message reaches a queue. */
export interface Route {
  /** The queue's name on the wire. */
  readonly queue: string;
  /** An unmodified Celery worker may take from it. */
  readonly carriesErrbacks: boolean;
  /** Set when absence can be judged: every consumer acknowledges late and keeps our books. */
  readonly isWatched: boolean;
  /** Set when the workers have to be asked for that: some are Celery's own, and the broker is that of the run's home. */
  readonly isAsked: boolean;
  /** The database of the run's home in which the queue is, or a broker elsewhere. */
  readonly place: { readonly db: number } | { readonly broker: string };
  /** The list for messages of one of Celery's priorities, 0 the most urgent. */
  readonly list: (celeryPriority: number) => string;
  readonly bell: string;
}

/** Why a step waits although it is due. */
export interface NoRoute {
  readonly reason: WorkflowReason;
  readonly message: string;
}

/** Finds the route of a task by what is known of queues now; asked again at each publish. */
export type Router = (task: string, queue: string | undefined) => Route | NoRoute;

export function isRoute(found: Route | NoRoute): found is Route {
  return 'list' in found;
}

/** The same, and `tell` is called for each route to workers that have to be asked what became of a task. */
export function tellingAsked(router: Router, tell: () => void): Router {
  return (task, queue) => {
    const found = router(task, queue);
    if (isRoute(found) && found.isAsked) tell();
    return found;
  };
}

/** The TaskQueue that an attempt asks for: retries may have one of their own. */
function askedQueue(step: TaskStep, { attempt, lost }: Pick<Slot, 'attempt' | 'lost'>): string | undefined {
  return isEscalated(step, attempt - lost) ? step.retry?.escalateTo : step.queue;
}

/** Routes as they are found in one turn: what was asked once is not asked again. */
export class RoutesOfTurn {
  readonly #router: Router;
  readonly #known = new Map<string, Route | NoRoute>();

  constructor(router: Router) {
    this.#router = router;
  }

  find(step: TaskStep, slot: Pick<Slot, 'attempt' | 'lost'>): Route | NoRoute {
    const queue = askedQueue(step, slot);
    const key = `${queue ?? ''}/${step.task}`;
    const found = this.#known.get(key) ?? this.#router(step.task, queue);
    this.#known.set(key, found);
    return found;
  }
}
