import { keyOf, type KubeObject, nameOf } from '#io/kube/object.ts';
import type { Change } from '#io/kube/object-store.ts';
import type { RunningController } from '../control/controller.ts';
import { podUidGroup, poolKeyOf } from '../observed/reflectors.ts';
import type { ControllerDeps, ControllerSetup } from './controller-deps.ts';
import { wireNameOf } from '../observed/routed-queue.ts';
import { WorkerPoolController } from './worker-pool.ts';

/** The WorkerPool controller and what wakes it. */
export function createWorkerPoolController(deps: ControllerDeps): ControllerSetup {
  const stops: (() => void)[] = [];
  return {
    controller: new WorkerPoolController(deps),
    // As many as the client has connections.
    concurrency: 32,
    wire: (running) => {
      stops.push(...wireObjects(deps, running), wireConnections(deps, running), wireDepths(deps, running));
    },
    close: () => {
      for (const stop of stops) stop();
      return Promise.resolve();
    },
  };
}

function wireObjects({ reflectors }: ControllerDeps, running: RunningController): (() => void)[] {
  const { workerPools, taskQueues, deployments, pods } = reflectors;
  const enqueueAllOf = (namespace: string): void => {
    for (const pool of workerPools.group(namespace)) running.enqueue(keyOf(pool));
  };
  const onOwned = ({ object, previous }: Change<KubeObject>): void => {
    const owned = object ?? previous;
    if (owned !== undefined) running.enqueue(poolKeyOf(owned));
  };
  return [
    workerPools.subscribe((change) => {
      running.enqueue(change.key);
      // Pools share the work of queues: a new spec of one changes what is left for the others.
      if (isNewSpec(change)) enqueueAllOf(nameOf(change.key).namespace);
    }),
    taskQueues.subscribe((change) => {
      if (isNewSpec(change)) enqueueAllOf(nameOf(change.key).namespace);
    }),
    deployments.subscribe(onOwned),
    pods.subscribe(onOwned),
  ];
}

function wireConnections({ connections, reflectors }: ControllerDeps, running: RunningController): () => void {
  return connections.subscribe(({ namespace }) => {
    for (const pool of reflectors.workerPools.group(namespace)) running.enqueue(keyOf(pool));
  });
}

function wireDepths({ depths, reflectors }: ControllerDeps, running: RunningController): () => void {
  const { taskQueues, workerPools, pods } = reflectors;
  return depths.subscribe(({ ref, queues, podUids }) => {
    for (const uid of podUids) {
      for (const pod of pods.group(podUidGroup(uid))) running.enqueue(poolKeyOf(pod));
    }
    if (queues.size === 0) return;
    const changed = new Set(
      taskQueues
        .group(ref.namespace)
        .filter((queue) => queue.spec.connection === ref.name && queues.has(wireNameOf(queue)))
        .map(({ metadata }) => metadata.name),
    );
    for (const pool of workerPools.group(ref.namespace)) {
      if (pool.spec.queues.some((queue) => changed.has(queue))) running.enqueue(keyOf(pool));
    }
  });
}

function isNewSpec({ object, previous }: Change<KubeObject>): boolean {
  return object?.metadata.generation !== previous?.metadata.generation;
}
