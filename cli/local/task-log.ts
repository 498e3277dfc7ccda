import type { WorkerLog } from '#worker/runtime/worker-ports.ts';
import { current } from '#worker/tasks/context.ts';
import type { LogEntry } from '../show/log-line.ts';

type Write = (fields: object, message: string) => void;

/** A log whose lines say which task wrote them: the worker does for its threads, the context for what runs inline. */
export function taskLog(
  hear: (entry: LogEntry) => void,
  pathOf: (taskId: string) => string | undefined,
): Record<'debug' | 'info' | 'warn' | 'error', Write> & WorkerLog {
  const write =
    (level: LogEntry['level']): Write =>
    (given, message) => {
      const { task, taskId, ...fields } = { ...inlineTask(), ...(given as Record<string, unknown>) };
      const path = typeof taskId === 'string' ? pathOf(taskId) : undefined;
      hear({
        level,
        message,
        fields: typeof taskId === 'string' && task === undefined ? { taskId, ...fields } : fields,
        ...(typeof task === 'string' ? { task } : {}),
        ...(path === undefined ? {} : { path }),
      });
    };
  return { debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') };
}

function inlineTask(): { readonly task?: string; readonly taskId?: string } {
  try {
    const { task, id } = current().request;
    return { task, taskId: id };
  } catch {
    return {};
  }
}
