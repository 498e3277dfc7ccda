import { stepAt } from '#core/canvas/plan.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';
import { isRoute, RoutesOfTurn, type Route, type Router } from './route.ts';

/** The routes of one run's tasks, by today's queues. */
export class RunRoutes {
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  /** What is asked for within one turn is asked of the queues once. */
  ofTurn(): RoutesOfTurn {
    return new RoutesOfTurn(this.#router);
  }

  /** Of a slot's task; undefined while there is none. */
  find({ plan, state }: Pick<RunView, 'plan' | 'state'>, slot: number, routes = this.ofTurn()): Route | undefined {
    const step = stepAt(plan, placeOfSlot(state.maps, slot).step);
    if (step.kind !== 'Task') return undefined;
    const found = routes.find(step, readSlot(state.slots, slot));
    return isRoute(found) ? found : undefined;
  }
}
