import type { CallHost, CallOutcome, TaskCall } from './call.ts';
import { isMap, runMap } from './run-map.ts';
import { runTask } from './run-task.ts';
import type { Registry } from './registry.ts';

/** Runs what a message calls: a task of the user's, or Celery's map over one. Never rejects. */
export async function runCall(registry: Registry, call: TaskCall, host: CallHost): Promise<CallOutcome> {
  if (isMap(call.request.task)) return runMap(registry, call, host);
  const task = registry.get(call.request.task);
  return task === undefined ? { kind: 'NotRegistered' } : runTask(task, call, host);
}
