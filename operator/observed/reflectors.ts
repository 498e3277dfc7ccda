import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { KubeClient } from '#io/kube/client.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { Reflector, type ReflectorOptions } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import type { Config } from '../config.ts';
import type { Deployment, Pod } from './observed-objects.ts';
import { poolLabel, workerSelector } from '../desired/labels.ts';

/** Copies of what the cluster holds. Complete before any controller begins. */
export interface Reflectors {
  readonly workflows: Reflector<Workflow>;
  readonly taskQueues: Reflector<TaskQueue>;
  readonly workerPools: Reflector<WorkerPool>;
  readonly deployments: Reflector<Deployment>;
  readonly pods: Reflector<Pod>;
}

interface OpenReflectors {
  readonly reflectors: Reflectors;
  /** Resolves when every copy is complete. */
  readonly synced: Promise<unknown>;
  /** Resolves when the signal has ended them all. */
  readonly running: Promise<unknown>;
}

interface ReflectorSurroundings {
  readonly config: Pick<Config, 'watchNamespaces'>;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Default: those of the process. */
  readonly timers?: Timers;
}

/** Begins to follow every resource that controllers read; of Deployments and Pods only those that are ours. */
export function openReflectors(
  client: KubeClient,
  { config, log, signal, timers }: ReflectorSurroundings,
): OpenReflectors {
  const base = { client, namespaces: config.watchNamespaces, log, ...(timers === undefined ? {} : { timers }) };
  const reflectors: Reflectors = {
    workflows: new Reflector<Workflow>({ ...base, scope: { resource: resources.workflows } }),
    taskQueues: inNamespaces<TaskQueue>({ ...base, scope: { resource: resources.taskQueues } }),
    workerPools: inNamespaces<WorkerPool>({ ...base, scope: { resource: resources.workerPools } }),
    deployments: new Reflector<Deployment>({
      ...base,
      scope: { resource: resources.deployments, labelSelector: workerSelector },
    }),
    pods: new Reflector<Pod>({
      ...base,
      scope: { resource: resources.pods, labelSelector: workerSelector },
      indexKeysOf: (pod) => [poolKeyOf(pod), pod.metadata.namespace ?? '', podUidGroup(pod.metadata.uid ?? '')],
    }),
  };
  const all = Object.values(reflectors) as readonly Reflector<KubeObject>[];
  return {
    reflectors,
    synced: Promise.all(all.map(({ synced }) => synced)),
    running: Promise.all(all.map((reflector) => reflector.run(signal))),
  };
}

/** The key of the WorkerPool that a pod or Deployment says it belongs to. */
export function poolKeyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.labels?.[poolLabel] ?? ''}`;
}

/** The group of the one pod with this UID. Pools have a slash in their keys, namespaces neither that nor a colon. */
export function podUidGroup(uid: string): string {
  return `uid:${uid}`;
}

/** Grouped by namespace, within which queues and pools refer to one another. */
function inNamespaces<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  return new Reflector<T>({ ...options, indexKeysOf: ({ metadata }) => [metadata.namespace ?? ''] });
}
