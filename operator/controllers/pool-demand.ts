import { parseDurationMs } from '#core/base/duration.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { ScalingSpec } from '#core/scaling/decide.ts';
import type { Demand } from '#core/scaling/demand.ts';
import { comparePools } from '#core/scaling/pool-order.ts';
import { type QueueLoad, shareDemand } from '#core/scaling/share-demand.ts';
import { keyOf } from '#io/kube/object.ts';
import { connectionKeyOf } from '../connections/connection-state.ts';
import type { DepthReading } from '../depths/depth-reading.ts';
import type { PoolQueues } from '../observed/pool-queues.ts';

/** A pool whose queues are known. */
export interface ServingPool {
  readonly pool: WorkerPool;
  readonly queues: PoolQueues;
}

/** How the spec wants the number of pods to be chosen. */
export function scalingSpecOf({ spec }: WorkerPool): ScalingSpec {
  const { autoscaling } = spec;
  if (autoscaling === undefined) return { kind: 'Fixed', replicas: spec.replicas ?? 1 };
  const { minReplicas, maxReplicas, tasksPerSlot, scaleDownDelay } = autoscaling;
  return {
    kind: 'Auto',
    minReplicas,
    maxReplicas,
    tasksPerSlot,
    slotsPerReplica: spec.concurrency,
    scaleDownDelayMs: parseDurationMs(scaleDownDelay) ?? 0,
  };
}

/**
 * The pool's part of the work on its queues, shared with the other pools that serve them. `poolKeyOf` tells whose worker
 * runs in a pod. Undefined while a queue's depth is not known.
 */
export function findDemand(
  own: ServingPool,
  pools: readonly ServingPool[],
  { reading, poolKeyOf }: { reading: DepthReading; poolKeyOf: (podUid: string) => string | undefined },
): Demand | undefined {
  const rivals = pools
    .filter(({ queues }) => connectionKeyOf(queues.ref) === connectionKeyOf(own.queues.ref))
    .sort((one, other) => comparePools(orderOf(one), orderOf(other)));
  const shares = rivals.map(({ pool, queues }) => ({
    key: keyOf(pool),
    queues: queues.queueNames,
    capacity: capacityOf(pool),
  }));
  return shareDemand(shares, loadsOf(reading, poolKeyOf)).get(keyOf(own.pool));
}

function orderOf({ pool }: ServingPool): Parameters<typeof comparePools>[0] {
  const { metadata, spec } = pool;
  return {
    name: metadata.name,
    createdAt: metadata.creationTimestamp,
    isFixed: spec.autoscaling === undefined,
    queueCount: spec.queues.length,
  };
}

function capacityOf({ spec }: WorkerPool): number {
  const { autoscaling, concurrency, replicas = 1 } = spec;
  return autoscaling === undefined
    ? replicas * concurrency
    : autoscaling.maxReplicas * concurrency * autoscaling.tasksPerSlot;
}

/** Only the queues of which everything is known. */
function loadsOf(
  { waiting, held, taken }: DepthReading,
  poolKeyOf: (podUid: string) => string | undefined,
): ReadonlyMap<string, QueueLoad> {
  const loads = new Map<string, { waiting: number; held: number; inFlight: Map<string, number> }>();
  if (taken === undefined) return loads;
  for (const [queue, count] of waiting) {
    loads.set(queue, { waiting: count, held: held.get(queue) ?? 0, inFlight: new Map() });
  }
  for (const { podUid, queue, count } of taken) {
    const inFlight = loads.get(queue)?.inFlight;
    const key = poolKeyOf(podUid) ?? '';
    inFlight?.set(key, (inFlight.get(key) ?? 0) + count);
  }
  return loads;
}
