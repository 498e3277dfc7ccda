import { stepAt, type Plan, type PlanStep } from '#core/canvas/plan.ts';
import type { Decision } from '#core/workflow/decide.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { readSlot, type Slot } from '#core/workflow/slots.ts';
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
    return routeOf(stepAt(plan, placeOfSlot(state.maps, slot).step), readSlot(state.slots, slot), routes);
  }

  /** Of the attempt that landed with a decision: its slot may be a next one's by now, which goes to another queue. */
  findLanded(plan: Plan, { state, before }: Decision, slot: number, routes: RoutesOfTurn): Route | undefined {
    const bytes = before.get(slot);
    if (bytes === undefined) return undefined;
    return routeOf(stepAt(plan, placeOfSlot(state.maps, slot).step), readSlot(bytes, 0), routes);
  }
}

function routeOf(step: PlanStep, slot: Slot, routes: RoutesOfTurn): Route | undefined {
  if (step.kind !== 'Task') return undefined;
  const found = routes.find(step, slot);
  return isRoute(found) ? found : undefined;
}
