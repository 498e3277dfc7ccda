import { parentPort, workerData } from 'node:worker_threads';
import type { CallHost } from './call.ts';
import { loadTasks } from './load-tasks.ts';
import type { Registry } from './registry.ts';
import { runCall } from './run-call.ts';
import type { FromTaskThread, TaskThreadData, ToTaskThread } from './thread-message.ts';

/** One thread that runs one call at a time. */
const port = parentPort;
if (port === null) throw new Error('task-thread is started by the worker, not by itself');

function tell(message: FromTaskThread): void {
  port?.postMessage(message);
}

let abort = new AbortController();
const stored: (() => void)[] = [];

const host: CallHost = {
  updateState(state, metaText) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    stored.push(() => resolve(undefined));
    tell({ kind: 'State', state, metaText });
    return promise;
  },
  log: (level, message, fields) => tell({ kind: 'Log', level, message, fields: cloneable(fields) }),
  signal: () => abort.signal,
};

/** What cannot cross to another thread is shown as text. */
function cloneable(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return structuredClone(fields);
  } catch {
    return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]));
  }
}

async function serve(registry: Registry, message: ToTaskThread): Promise<void> {
  switch (message.kind) {
    case 'Call':
      abort = new AbortController();
      tell({ kind: 'Ended', outcome: await runCall(registry, message.call, host) });
      return;
    case 'Abort':
      abort.abort(Object.assign(new Error(message.reason), { name: message.reason }));
      return;
    case 'Stored':
      stored.shift()?.();
  }
}

try {
  const registry = await loadTasks((workerData as TaskThreadData).tasksPath);
  port.on('message', (message: ToTaskThread) => void serve(registry, message));
  tell({ kind: 'Ready', tasks: [...registry.values()].map(({ info }) => info) });
} catch (error) {
  tell({ kind: 'Unusable', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
