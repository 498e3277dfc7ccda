import { TurnRing } from '#operator/runs/turn-ring.ts';
import { WindowQueue, type Bid } from '#operator/runs/window-queue.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { Swarm } from './swarm.ts';

/** Bugs in whose turn it is. The window has no ports: its own methods are replaced. */
export const turnBugs: Readonly<Record<string, PlantedBug>> = {
  oneFirst: {
    what: 'nobody notes whose turn it was: whoever waits first is served before all others, again and again',
    within: 50,
    options: { kinds: [], swarm: (drawn) => crowded(drawn, [5, 5]), spoil: oneFirst },
  },
  lessUrgentFirst: {
    what: 'priorities are read the wrong way round',
    within: 50,
    options: { kinds: [], swarm: (drawn) => crowded(drawn, [9, 5]), spoil: lessUrgentFirst },
  },
};

function crowded(drawn: Swarm, crowd: readonly number[]): Swarm {
  const size = { ...drawn.size, wide: 120 };
  return { ...drawn, crowd, size, workflows: crowd.length, taskMs: 20, deletes: 0, cancels: 0, suspends: 0 };
}

function oneFirst(): () => void {
  return replaced(TurnRing.prototype, 'serve', () => () => undefined);
}

function lessUrgentFirst(): () => void {
  const turned = new WeakSet<Bid>();
  return replaced(
    WindowQueue.prototype,
    'want',
    (want) =>
      function (this: WindowQueue, bid: Bid, wanted: number): void {
        if (!turned.has(bid)) Object.assign(bid, { priority: 9 - bid.priority });
        turned.add(bid);
        want.call(this, bid, wanted);
      },
  );
}

/** Replaces a method for all objects of a class; the function that it returns brings the real one back. */
export function replaced<T extends object, K extends keyof T>(
  methods: T,
  name: K,
  instead: (real: T[K]) => T[K],
): () => void {
  const real = methods[name];
  methods[name] = instead(real);
  return () => void (methods[name] = real);
}
