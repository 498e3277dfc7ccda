import type { TaskQueue, TaskQueueStatus } from '#core/resources/task-queue.ts';
import { findRouteConflict } from '#core/routing/route-conflicts.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { keyOf, nameOf } from '#io/kube/object.ts';
import { resources } from '#io/kube/resource.ts';
import { buildConditions, secondsTime } from '../conditions/condition-list.ts';
import { judgeTaskQueueReady, type TaskQueueFacts } from '../conditions/task-queue-ready.ts';
import type { ConnectionRef, ConnectionState } from '../connections/connection-state.ts';
import type { Requeue, RunningController } from '../control/controller.ts';
import { StatusWriter } from '../control/status-writer.ts';
import { type DepthReading, inFlightOf } from '../depths/depth-reading.ts';
import type { ControllerDeps, ControllerSetup } from './controller-deps.ts';
import { queuesOf, routedQueueOf, wireNameOf } from '../observed/routed-queue.ts';
import { unservedTaskQueues } from '../observed/unserved-queues.ts';

/** Depths in status are for people: they are not written more often than a person looks. */
const quietMs = 2_000;

/** Tells of every TaskQueue whether it can be used and how deep it is. */
export function createTaskQueueController(deps: ControllerDeps): ControllerSetup {
  const { client, reflectors, connections, depths, stalled, timers } = deps;
  const { taskQueues } = reflectors;
  const writer = new StatusWriter<TaskQueue>({
    client,
    resource: resources.taskQueues,
    reflector: taskQueues,
    quietMs,
    timers,
  });
  const stops: (() => void)[] = [];
  return {
    controller: {
      name: 'task-queue',
      reconcile: async (key): Promise<Requeue | undefined> => {
        const queue = taskQueues.get(key);
        if (queue?.metadata.deletionTimestamp !== undefined || queue === undefined) {
          writer.forget(key);
          return undefined;
        }
        return writer.write(queue, statusOf(queue, deps));
      },
    },
    concurrency: 8,
    wire: (running) => {
      stops.push(
        taskQueues.subscribe(({ key, object, previous }) => {
          running.enqueue(key);
          // Routes and names are judged against one another.
          if (object?.metadata.generation !== previous?.metadata.generation) enqueueNeighbours(deps, running, key);
        }),
        connections.subscribe(({ namespace, name }) => {
          for (const queue of taskQueues.group(namespace)) {
            if (queue.spec.connection === name) running.enqueue(keyOf(queue));
          }
        }),
        depths.subscribe(({ ref, queues }) => enqueueOnWire(deps, running, { ref, queues })),
        stalled.subscribe(({ ref, queueName }) => enqueueOnWire(deps, running, { ref, queues: new Set([queueName]) })),
        reflectors.workerPools.subscribe(({ key, object, previous }) => {
          if (object?.metadata.generation === previous?.metadata.generation) return;
          for (const { ref, queueName } of stalled.in(nameOf(key).namespace))
            enqueueOnWire(deps, running, { ref, queues: new Set([queueName]) });
        }),
      );
    },
    close: () => {
      for (const stop of stops) stop();
      return Promise.resolve();
    },
  };
}

function enqueueOnWire(
  { reflectors }: ControllerDeps,
  running: RunningController,
  { ref, queues }: { readonly ref: ConnectionRef; readonly queues: ReadonlySet<string> },
): void {
  for (const queue of queues.size === 0 ? [] : queuesOf(reflectors, ref)) {
    if (queues.has(wireNameOf(queue))) running.enqueue(keyOf(queue));
  }
}

function enqueueNeighbours({ reflectors }: ControllerDeps, running: RunningController, key: string): void {
  for (const other of reflectors.taskQueues.group(key.slice(0, key.indexOf('/')))) running.enqueue(keyOf(other));
}

function statusOf(queue: TaskQueue, deps: ControllerDeps): TaskQueueStatus {
  const { connections, depths, nowMs } = deps;
  const { namespace, generation } = queue.metadata;
  const ref = { namespace, name: queue.spec.connection };
  const verdict = judgeTaskQueueReady(factsOf(queue, connections.get(ref), deps));
  const queueName = wireNameOf(queue);
  const judgedAt = { generation, now: secondsTime(nowMs()) };
  const conditions = buildConditions(queue.status?.conditions, verdict === undefined ? [] : [verdict], judgedAt);
  return {
    observedGeneration: generation,
    queueName,
    ...(conditions.length === 0 ? {} : { conditions: [...conditions] }),
    ...countsOf(queueName, depths.get(ref)),
  };
}

/** Unknown is shown as absent, never as zero. */
function countsOf(
  queueName: string,
  reading: DepthReading | undefined,
): Pick<TaskQueueStatus, 'waiting' | 'held' | 'inFlight'> {
  const waiting = reading?.waiting.get(queueName);
  const held = reading?.held.get(queueName);
  if (reading === undefined || waiting === undefined || held === undefined) return {};
  const inFlight = inFlightOf(reading, queueName);
  return inFlight === undefined ? { waiting, held } : { waiting, held, inFlight };
}

function factsOf(queue: TaskQueue, state: ConnectionState, deps: ControllerDeps): TaskQueueFacts {
  const { reflectors } = deps;
  const others = reflectors.taskQueues.group(queue.metadata.namespace).filter(isLive);
  const routed = routedQueueOf(queue);
  const namesake = others.find(
    (other) =>
      other.spec.connection === queue.spec.connection &&
      wireNameOf(other) === wireNameOf(queue) &&
      isOlder(other, queue),
  );
  const routeConflict = findRouteConflict(routed, others.map(routedQueueOf));
  return {
    queueName: routed.queueName,
    connection: queue.spec.connection,
    connectionState: state.state === 'Failed' ? state.failure : state.state,
    ...(namesake === undefined ? {} : { namesake: namesake.metadata.name }),
    ...(routeConflict === undefined ? {} : { routeConflict }),
    isUnserved: isUnserved(queue, deps),
  };
}

/** What was said of it stands until it was watched for long enough. */
function isUnserved(queue: TaskQueue, { stalled, reflectors }: ControllerDeps): boolean {
  const ref = { namespace: queue.metadata.namespace, name: queue.spec.connection };
  const onWire = { ref, queueName: wireNameOf(queue) };
  const wasUnserved = queue.status?.conditions?.some(({ reason }) => reason === 'NoWorkerPool') ?? false;
  return (stalled.isStalled(onWire) ?? wasUnserved) && unservedTaskQueues(reflectors, onWire).length > 0;
}

function isLive({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

/** The older of two keeps its name; of two of one second, the one that comes first in the alphabet. */
function isOlder(one: TaskQueue, other: TaskQueue): boolean {
  return ageKey(one) < ageKey(other);
}

function ageKey({ metadata }: TaskQueue): string {
  return `${metadata.creationTimestamp} ${metadata.name}`;
}
