import { apiVersion } from '#core/resources/api-group.ts';
import { collectionPath, objectPath, resources } from '#io/kube/resource.ts';
import type { KubeRequest } from '#io/kube/client.ts';
import { usualQueue } from '../queues.ts';
import { namespace } from '../surroundings.ts';
import type { PoolSwarm } from './pool-swarm.ts';

export const poolName = 'pool';
export const queueName = usualQueue;

/** Where the API server keeps what belongs to the pool. */
export const places = {
  queues: collectionPath(resources.taskQueues),
  pools: collectionPath(resources.workerPools),
  deployments: collectionPath(resources.deployments),
  pods: collectionPath(resources.pods),
} as const;

/** Creates the queue, as the API server would fill it in. */
export function queueCreation(connection: string): KubeRequest {
  const metadata = { name: queueName, namespace };
  return creation('taskQueues', { apiVersion, kind: 'TaskQueue', metadata, spec: { connection } });
}

/** Creates the pool, as the API server would fill it in. */
export function poolCreation(pool: PoolSwarm): KubeRequest {
  const { concurrency, tasksPerSlot, minReplicas, maxReplicas, scaleDownDelayMs, drainMs } = pool;
  const spec = {
    queues: [queueName],
    runtime: 'TypeScript',
    concurrency,
    autoscaling: { minReplicas, maxReplicas, tasksPerSlot, scaleDownDelay: seconds(scaleDownDelayMs) },
    drainTimeout: seconds(drainMs),
  };
  return creation('workerPools', { apiVersion, kind: 'WorkerPool', metadata: { name: poolName, namespace }, spec });
}

/** Changes the bounds of the pool. */
export function boundsEdit(minReplicas: number, maxReplicas: number): KubeRequest {
  const path = objectPath(resources.workerPools, { namespace, name: poolName });
  const body = JSON.stringify({ spec: { autoscaling: { minReplicas, maxReplicas } } });
  return { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' };
}

function creation(plural: 'taskQueues' | 'workerPools', object: object): KubeRequest {
  return { method: 'POST', path: collectionPath(resources[plural], namespace), body: JSON.stringify(object) };
}

function seconds(ms: number): string {
  return `${ms / 1_000}s`;
}
