import { queueKey } from '#core/celery/queue-key.ts';
import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import { buildRouteTable, resolveQueue, type RoutedQueue, type RouteTable } from '#core/routing/route-table.ts';
import { BrokerKeys } from '#io/brokers/broker-keys.ts';
import type { OpenConnection } from '../connections/connection-state.ts';
import type { NoRoute, Route, Router } from '../runs/route.ts';
import { routedQueueOf } from '../observed/routed-queue.ts';

/** A route to a connection, before anything is known of its servers. */
export interface RouteToQueue {
  readonly queue: RoutedQueue;
  readonly carriesErrbacks: boolean;
}

/** What one namespace's TaskQueues and WorkerPools say about routes; made anew when one of them changes. */
export class NamespaceRoutes {
  readonly #table: RouteTable;
  readonly #pooled: ReadonlySet<string>;

  constructor(queues: readonly TaskQueue[], pools: readonly WorkerPool[]) {
    this.#table = buildRouteTable(queues.map(routedQueueOf));
    this.#pooled = new Set(pools.flatMap(({ spec }) => spec.queues));
  }

  find(wish: { task: string; queue?: string | undefined; defaultQueue?: string | undefined }): RouteToQueue | NoRoute {
    const { task, queue, defaultQueue } = wish;
    const found = resolveQueue(this.#table, {
      task,
      ...(queue === undefined ? {} : { queue }),
      ...(defaultQueue === undefined ? {} : { defaultQueue }),
    });
    if (!found.ok) return found.error;
    // With no pool of ours an unmodified Celery worker is what takes from the queue.
    return { queue: found.value, carriesErrbacks: !this.#pooled.has(found.value.name) };
  }
}

export interface RunRouterOptions {
  /** Asked at each publish, so that a changed TaskQueue counts at once. */
  readonly routes: () => NamespaceRoutes;
  readonly defaultQueue: string | undefined;
  readonly home: OpenConnection;
  readonly connectionNamed: (name: string) => OpenConnection | undefined;
}

/** Routes of one run: by queue, then by whether the run's home reaches that queue's broker. */
export function runRouter({ routes, defaultQueue, home, connectionNamed }: RunRouterOptions): Router {
  return (task, queue) => {
    const found = routes().find({ task, queue, defaultQueue });
    if (!('queue' in found)) return found;
    const { name, connection: connectionName } = found.queue;
    const connection = connectionName === home.ref.name ? home : connectionNamed(connectionName);
    if (connection === undefined) {
      return noRoute('ConnectionNotReady', `TaskQueue ${name} uses connection ${connectionName}, which is not ready`);
    }
    if (connection.resultsRunId !== home.resultsRunId) {
      const homes = `TaskQueue ${name} stores results elsewhere than the run's connection ${home.ref.name}`;
      return noRoute('QueuesWithDifferentResults', `${homes}: give both connections the same results`);
    }
    if (connection !== home && connection.brokerRunId !== home.resultsRunId) {
      const broker = `the broker of TaskQueue ${name} is neither the Redis of the run nor the broker of its connection`;
      return noRoute('QueuesWithDifferentResults', `${broker} ${home.ref.name}: let the queues share one connection`);
    }
    return routeTo(found, connection, home);
  };
}

function routeTo({ queue, carriesErrbacks }: RouteToQueue, connection: OpenConnection, home: OpenConnection): Route {
  const { keyPrefix, operatorBroker } = connection.settings;
  const isHome = connection.brokerRunId === home.resultsRunId;
  const keys = new BrokerKeys(keyPrefix);
  return {
    queue: queue.queueName,
    carriesErrbacks,
    // Whereabouts are read through the home's own broker.
    isWatched: !carriesErrbacks && connection === home,
    isAsked: carriesErrbacks && connection === home,
    place: isHome ? { db: operatorBroker.db } : { broker: connection.ref.name },
    list: (celeryPriority) => keys.list(queueKey(queue.queueName, celeryPriority)),
    bell: keys.bell(queue.queueName),
  };
}

function noRoute(reason: WorkflowReason, message: string): NoRoute {
  return { reason, message };
}
