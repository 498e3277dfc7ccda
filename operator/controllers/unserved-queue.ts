import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { StalledQueue } from '../depths/stalled-queues.ts';
import { wireNameOf } from '../observed/routed-queue.ts';
import { unservedTaskQueues } from '../observed/unserved-queues.ts';
import type { RunDriver } from '../runs/run-driver.ts';
import type { ControllerDeps } from './controller-deps.ts';

type UnservedQueueDeps = Pick<ControllerDeps, 'stalled' | 'reflectors'>;

/**
 * For the tasks of a run, the TaskQueue of each in which nobody takes what waits and which no WorkerPool serves; undefined
 * if there is none such. What an earlier operator said of one stands until this one has watched for long enough.
 */
export function unservedQueueOf(
  workflow: Workflow,
  { run }: RunDriver,
  deps: UnservedQueueDeps,
): ((slot: number) => string | undefined) | undefined {
  const queues = [...deps.stalled.in(workflow.metadata.namespace), ...toldBefore(workflow, deps)];
  const names = new Map(
    queues.flatMap((queue) =>
      unservedTaskQueues(deps.reflectors, queue).map((name) => [queue.queueName, name] as const),
    ),
  );
  return names.size === 0 ? undefined : (slot) => names.get(run.queueOf(slot) ?? '');
}

function toldBefore(
  { metadata, status }: Workflow,
  { stalled, reflectors }: UnservedQueueDeps,
): readonly StalledQueue[] {
  if (status?.unservedQueue === undefined) return [];
  const queue = reflectors.taskQueues.get(`${metadata.namespace}/${status.unservedQueue}`);
  const onWire = queue === undefined ? undefined : onWireOf(queue);
  return onWire === undefined || stalled.isStalled(onWire) !== undefined ? [] : [onWire];
}

function onWireOf(queue: TaskQueue): StalledQueue {
  const { spec, metadata } = queue;
  return { ref: { namespace: metadata.namespace, name: spec.connection }, queueName: wireNameOf(queue) };
}
