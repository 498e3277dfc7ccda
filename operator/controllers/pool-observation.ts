import { defined } from '#core/base/defined.ts';
import type { Result } from '#core/base/result.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { Demand } from '#core/scaling/demand.ts';
import { keyOf } from '#io/kube/object.ts';
import type { PoolProblem } from '../conditions/pool-ready.ts';
import type { PodFacts } from '../conditions/pool-pods.ts';
import type { ConnectionState } from '../connections/connection-state.ts';
import type { DepthReading } from '../depths/depth-reading.ts';
import { podUidGroup, poolKeyOf } from '../observed/reflectors.ts';
import type { ControllerDeps } from './controller-deps.ts';
import type { Deployment, Pod } from '../observed/observed-objects.ts';
import { isLivePod, podFactsOf } from '../observed/pod-facts.ts';
import { findDemand } from './pool-demand.ts';
import { type PoolQueues, resolvePoolQueues } from '../observed/pool-queues.ts';

/** What was seen of a pool and all around it, at one moment. */
export interface PoolObservation {
  readonly queues: Result<PoolQueues, PoolProblem>;
  /** Absent when the queues do not lead to one. */
  readonly connection?: ConnectionState;
  readonly deployment?: Deployment;
  /** Pods asked for now. */
  readonly currentReplicas: number;
  readonly pods: readonly PodFacts[];
  /** Absent while it is not known. */
  readonly demand?: Demand;
  /** Absent while it is not known. */
  readonly slots?: { readonly busy: number; readonly free: number };
}

type Deps = Pick<ControllerDeps, 'reflectors' | 'connections' | 'depths'>;

/** All that a decision about the pool is made from. Asks nobody: everything is at hand. */
export function observePool(pool: WorkerPool, deployment: Deployment | undefined, deps: Deps): PoolObservation {
  const { reflectors } = deps;
  const key = keyOf(pool);
  const queues = queuesOf(pool, deps);
  const pods = reflectors.pods.group(key);
  return {
    queues,
    ...(deployment === undefined ? {} : { deployment }),
    currentReplicas: deployment?.spec?.replicas ?? 0,
    pods: pods.filter(isLivePod).map(podFactsOf),
    ...(queues.ok ? observeWork(pool, queues.value, { pods, deps }) : {}),
  };
}

function queuesOf(pool: WorkerPool, { reflectors }: Deps): Result<PoolQueues, PoolProblem> {
  const { namespace } = pool.metadata;
  return resolvePoolQueues(pool, (name) => reflectors.taskQueues.get(`${namespace}/${name}`));
}

function observeWork(
  pool: WorkerPool,
  queues: PoolQueues,
  { pods, deps }: { pods: readonly Pod[]; deps: Deps },
): Pick<PoolObservation, 'connection' | 'demand' | 'slots'> {
  const { connections, depths, reflectors } = deps;
  const connection = connections.get(queues.ref);
  const reading = depths.get(queues.ref);
  if (reading === undefined) return { connection };
  const rivals = reflectors.workerPools.group(pool.metadata.namespace).flatMap((other) => {
    const served = queuesOf(other, deps);
    return served.ok && other.metadata.deletionTimestamp === undefined ? [{ pool: other, queues: served.value }] : [];
  });
  const demand = findDemand({ pool, queues }, rivals, {
    reading,
    poolKeyOf: (podUid) => reflectors.pods.group(podUidGroup(podUid)).map(poolKeyOf)[0],
  });
  return { connection, ...defined({ slots: slotsOf(pods, reading), demand }) };
}

/** Undefined while a worker that runs has not told of itself: a sum without it would count what is unknown as nothing. */
function slotsOf(pods: readonly Pod[], { leases }: DepthReading): PoolObservation['slots'] {
  const told = new Map(leases.map((lease) => [lease.podUid, lease]));
  const tellsNothing = (pod: Pod): boolean => podFactsOf(pod).isReady && !told.has(pod.metadata.uid ?? '');
  if (pods.filter(isLivePod).some(tellsNothing)) return undefined;
  const own = pods.flatMap(({ metadata }) => told.get(metadata.uid ?? '') ?? []);
  const busy = own.reduce((sum, lease) => sum + lease.busy, 0);
  return { busy, free: own.reduce((sum, lease) => sum + lease.slots, 0) - busy };
}
