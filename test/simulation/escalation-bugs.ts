import { RoutesOfTurn } from '#operator/runs/route.ts';
import { RunRoutes } from '#operator/runs/run-routes.ts';
import { escalating } from './escalation.ts';
import { Chance } from './kernel/chance.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { Swarm } from './swarm.ts';
import { replaced } from './turn-bugs.ts';

/** Bugs about retries that have a queue of their own. Routes have no ports: their own methods are replaced. */
export const escalationBugs: Readonly<Record<string, PlantedBug>> = {
  wrongPlace: {
    what: 'when an attempt fails its place is given back in the queue of the next one',
    within: 50,
    options: { kinds: [], swarm: paused, spoil: wrongPlace },
  },
  neverEscalates: {
    what: 'a retry goes where its first attempt went',
    within: 50,
    options: { kinds: [], swarm: paused, spoil: () => routedAs(() => ({ attempt: 0, lost: 0 })) },
  },
  lossEscalates: {
    what: 'an attempt after one whose message was lost goes to the queue for retries',
    within: 50,
    options: {
      kinds: ['MessageVanishes'],
      swarm: paused,
      spoil: () => routedAs(({ attempt }) => ({ attempt, lost: 0 })),
    },
  },
};

/** All items of a wide map fail at first; of many workers none takes the retries for a while. */
function paused(drawn: Swarm): Swarm {
  const { size } = escalating(new Chance(1, 'escalation'), drawn);
  const escalation = { workers: 1, slowness: 1, pausedUntilMs: 30_000, comesAtMs: 0 };
  const calm = { deletes: 0, cancels: 0, suspends: 0, deadlines: 0, pool: undefined };
  return { ...drawn, ...calm, escalation, workers: 8, knowsSlots: true, taskMs: 300, size: { ...size, wide: 60 } };
}

function wrongPlace(): () => void {
  return replaced(
    RunRoutes.prototype,
    'findLanded',
    () =>
      function (this: RunRoutes, ...[plan, { state }, slot, routes]: Parameters<RunRoutes['findLanded']>) {
        return this.find({ plan, state }, slot, routes);
      },
  );
}

type Attempt = Parameters<RoutesOfTurn['find']>[1];

/** A route is found as if the attempt were another one. */
function routedAs(change: (attempt: Attempt) => Attempt): () => void {
  return replaced(
    RoutesOfTurn.prototype,
    'find',
    (find) =>
      function (this: RoutesOfTurn, step, attempt) {
        return find.call(this, step, change(attempt));
      },
  );
}
