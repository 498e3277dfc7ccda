import type { TaskQueueReason } from '#core/resources/reasons.ts';
import type { RouteConflict } from '#core/routing/route-conflicts.ts';
import type { Verdict } from './condition-list.ts';

/** What decides whether a TaskQueue can be used. */
export interface TaskQueueFacts {
  readonly queueName: string;
  readonly connection: string;
  /** `Opening` says nothing about right or wrong yet. */
  readonly connectionState: 'Opening' | 'Ready' | { readonly reason: TaskQueueReason; readonly message: string };
  /** An older TaskQueue with the same wire name and connection. */
  readonly namesake?: string;
  readonly routeConflict?: RouteConflict;
  /** Nobody takes what waits in it, and no WorkerPool serves it. */
  readonly isUnserved: boolean;
}

/** Whether the queue can be used; undefined while that is still being found out. */
export function judgeTaskQueueReady(facts: TaskQueueFacts): Verdict | undefined {
  const { queueName, connection, connectionState, namesake, routeConflict } = facts;
  if (connectionState === 'Opening') return undefined;
  if (connectionState !== 'Ready') return notReady(connectionState.reason, connectionState.message);
  if (namesake !== undefined) {
    return notReady(
      'QueueNameTaken',
      `TaskQueue ${namesake} is already called ${queueName} on the wire of connection ${connection}: give one of them another queueName`,
    );
  }
  if (routeConflict !== undefined) return notReady('RouteConflict', describeConflict(routeConflict));
  const message = `tasks go to ${queueName} of connection ${connection}`;
  if (!facts.isUnserved) return { type: 'Ready', status: 'True', reason: 'Ready', message };
  const wait = 'messages wait that nobody has taken for 10 s, and no WorkerPool serves the queue (a Celery worker may)';
  return { type: 'Ready', status: 'True', reason: 'NoWorkerPool', message: `${message}; ${wait}` };
}

function describeConflict({ route, other, otherRoute }: RouteConflict): string {
  const what = route === otherRoute ? route : `${route}, as ${otherRoute} there,`;
  return `TaskQueue ${other.name} claims ${what} equally, so that such tasks wait: take the route from one of the two`;
}

function notReady(reason: TaskQueueReason, message: string): Verdict {
  return { type: 'Ready', status: 'False', reason, message };
}
