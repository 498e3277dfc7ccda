import type { Workflow } from '#core/resources/workflow.ts';
import { unservedTaskQueues } from '../observed/unserved-queues.ts';
import type { Route } from '../runs/route.ts';
import type { RunDriver } from '../runs/run-driver.ts';
import type { ControllerDeps } from './controller-deps.ts';

type UnservedQueueDeps = Pick<ControllerDeps, 'stalled' | 'reflectors'>;

/**
 * For the tasks of a run, the TaskQueue of each in which nobody takes what waits and which no WorkerPool serves, of the
 * connection of its home; undefined if it has none. What an earlier operator said of one stands until this one has watched
 * for long enough.
 */
export function unservedQueueOf(
  { metadata: { namespace }, status }: Workflow,
  { run }: RunDriver,
  { stalled, reflectors }: UnservedQueueDeps,
): ((slot: number) => string | undefined) | undefined {
  const name = status?.home?.connection;
  const before = status?.unservedQueue;
  if (name === undefined || (before === undefined && stalled.in(namespace).length === 0)) return undefined;
  return (slot) => {
    const route = run.routeOf(slot);
    if (route === undefined || !isOfHome(route)) return undefined;
    const onWire = { ref: { namespace, name }, queueName: route.queue };
    const isStalled = stalled.isStalled(onWire);
    if (isStalled === false) return undefined;
    const [first] = unservedTaskQueues(reflectors, onWire);
    return isStalled === true || first === before ? first : undefined;
  };
}

/** Only of the home's own broker absences can be judged. */
function isOfHome({ isWatched, isAsked }: Route): boolean {
  return isWatched || isAsked;
}
