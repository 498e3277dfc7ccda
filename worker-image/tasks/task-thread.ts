import { parentPort, workerData } from 'node:worker_threads';
import { loadTasks } from './load-tasks.ts';
import type { Registry } from './registry.ts';
import { runCall } from './run-call.ts';
import { openThreadHost, type ThreadHost } from './thread-host.ts';
import type { FromTaskThread, TaskThreadData, ToTaskThread } from './thread-message.ts';

/** One thread that runs one call at a time. */
const port = parentPort;
if (port === null) throw new Error('task-thread is started by the worker, not by itself');

function tell(message: FromTaskThread): void {
  port?.postMessage(message);
}

let current: { readonly n: number; readonly line: ThreadHost } | undefined;

async function serve(registry: Registry, message: ToTaskThread): Promise<void> {
  if (message.kind === 'Call') {
    const { n } = message;
    const line = openThreadHost(n, tell);
    current = { n, line };
    const outcome = await runCall(registry, message.call, line.host);
    line.end();
    tell({ kind: 'Ended', n, outcome });
    return;
  }
  if (current?.n !== message.n) return;
  if (message.kind === 'Abort') current.line.abort(message.reason);
  else current.line.stored(message.state);
}

try {
  const registry = await loadTasks((workerData as TaskThreadData).tasksPath);
  port.on('message', (message: ToTaskThread) => void serve(registry, message));
  tell({ kind: 'Ready', tasks: [...registry.values()].map(({ info }) => info) });
} catch (error) {
  tell({ kind: 'Unusable', message: error instanceof Error ? error.message : String(error) });
}
