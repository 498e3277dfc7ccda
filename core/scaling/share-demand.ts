import { type Demand, sumDemand } from './demand.ts';

/** A pool as far as sharing goes. */
export interface PoolShare {
  readonly key: string;
  /** Wire names of the queues it serves. */
  readonly queues: readonly string[];
  /** Tasks it can look after at its largest: replicas × slots × tasks per slot. */
  readonly capacity: number;
}

/** The work of one queue, and who already has some of it. */
export interface QueueLoad {
  readonly waiting: number;
  readonly held: number;
  /** Taken messages by the key of the pool that has them; under the empty key those of unknown workers. */
  readonly inFlight: ReadonlyMap<string, number>;
}

/**
 * Divides the work of queues among the pools that serve them. What a pool has taken is its own; what waits goes to the
 * first pool up to its capacity, the rest to the next, and what is too much for all to the last, which can say so.
 * Pools come in order of preference. Undefined for a pool one of whose queues is not known.
 */
export function shareDemand(
  pools: readonly PoolShare[],
  loads: ReadonlyMap<string, QueueLoad>,
): ReadonlyMap<string, Demand | undefined> {
  const left = new Map([...loads].map(([queue, { waiting, held }]) => [queue, { waiting, held }]));
  return new Map(
    pools.map((pool, at) => {
      const isKnown = pool.queues.every((queue) => loads.has(queue));
      return [pool.key, isKnown ? takeShare(pool, pools.slice(at + 1), { loads, left }) : undefined];
    }),
  );
}

type Leftover = Map<string, { waiting: number; held: number }>;

function takeShare(
  pool: PoolShare,
  later: readonly PoolShare[],
  { loads, left }: { loads: ReadonlyMap<string, QueueLoad>; left: Leftover },
): Demand {
  const isLast = (queue: string): boolean => !later.some(({ queues }) => queues.includes(queue));
  const share = { waiting: 0, held: 0, inFlight: 0 };
  for (const queue of pool.queues) share.inFlight += inFlightOf(pool, isLast(queue), loads.get(queue));
  for (const queue of pool.queues) {
    const room = isLast(queue) ? Infinity : Math.max(0, pool.capacity - sumDemand(share));
    const rest = left.get(queue) ?? { waiting: 0, held: 0 };
    const waiting = Math.min(rest.waiting, room);
    const held = Math.min(rest.held, room - waiting);
    share.waiting += waiting;
    share.held += held;
    left.set(queue, { waiting: rest.waiting - waiting, held: rest.held - held });
  }
  return share;
}

/** Work of workers that nobody knows counts for the pool that comes last, as all that is left over does. */
function inFlightOf(pool: PoolShare, isLast: boolean, load: QueueLoad | undefined): number {
  const own = load?.inFlight.get(pool.key) ?? 0;
  return isLast ? own + (load?.inFlight.get('') ?? 0) : own;
}
