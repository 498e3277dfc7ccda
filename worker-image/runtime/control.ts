import { greetedIds, revokedIds, type ControlRequest } from '#core/celery/control-message.ts';
import { unknownMethod } from '#core/celery/inspection.ts';
import { isoOf } from '#core/base/iso-date.ts';
import { parsePythonJson } from '#core/base/python-json.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import type { Delayed } from './delayed.ts';
import { decodeMessage } from './inflate.ts';
import type { TaskRuns } from './task-runs.ts';
import type { WorkerPorts, WorkerSettings } from './worker-ports.ts';

/** What remote control asks of a worker. */
export interface ControlledWorker {
  readonly settings: WorkerSettings;
  readonly startedMs: number;
  readonly runs: Pick<TaskRuns, 'running'>;
  readonly delayed: Pick<Delayed, 'held'>;
  readonly taskNames: readonly string[];
  readonly revoked: readonly string[];
  revoke(ids: readonly string[], options: { readonly terminate: boolean }): readonly string[];
}

type Answer = (request: ControlRequest, worker: ControlledWorker, nowMs: number) => unknown;

/** By Celery's names, answered in the form of Celery's answers. */
const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['revoke', revoke],
  [
    'terminate',
    (request, worker) => revoke({ ...request, arguments: { ...request.arguments, terminate: true } }, worker),
  ],
  ['hello', hello],
  ['ping', () => ({ ok: 'pong' })],
  ['active', (request, worker) => active(request, worker)],
  // This worker takes no more than it has slots for.
  ['reserved', () => []],
  ['scheduled', (_request, worker) => scheduled(worker)],
  ['query_task', queryTask],
  ['revoked', (_request, worker) => worker.revoked],
  ['registered', (_request, worker) => worker.taskNames.toSorted()],
  ['active_queues', (_request, worker) => worker.settings.queues.map(queueInfo)],
  ['stats', (_request, worker, nowMs) => stats(worker, nowMs)],
]);

/** Lets the worker be controlled for as long as its consumer is open. Never rejects. */
export async function obeyControl(
  worker: ControlledWorker,
  { consumer, log, nowMs }: Pick<WorkerPorts, 'consumer' | 'log' | 'nowMs'>,
): Promise<void> {
  try {
    await consumer.obey(worker.settings.hostname, (request) => answerControl(request, worker, nowMs()));
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'this worker hears no remote control, and so of no revoked task');
  }
}

/** Does what is asked and says so. */
function answerControl(request: ControlRequest, worker: ControlledWorker, nowMs: number): unknown {
  const answer = answers.get(request.method);
  return answer === undefined ? { error: unknownMethod(request.method) } : answer(request, worker, nowMs);
}

/** A Celery worker that starts tells what is revoked, and is told. Its clock goes on by itself: 0 does not set it. */
function hello(request: ControlRequest, worker: ControlledWorker): unknown {
  worker.revoke(greetedIds(request), { terminate: false });
  return { revoked: worker.revoked, clock: 0 };
}

function revoke(request: ControlRequest, worker: ControlledWorker): unknown {
  const ids = revokedIds(request);
  const terminate = request.arguments['terminate'] === true;
  const ended = worker.revoke(ids, { terminate });
  if (!terminate) return { ok: `tasks ${ids.join(', ')} flagged as revoked` };
  return { ok: `terminate: ${ended.length === 0 ? 'tasks unknown' : ended.join(', ')}` };
}

function active({ arguments: args }: ControlRequest, { runs, settings }: ControlledWorker): readonly object[] {
  const isSafe = args['safe'] === true;
  return runs.running.map(({ message, startedMs }) => {
    const info = { ...taskInfo(message, settings), time_start: startedMs / 1_000, worker_pid: process.pid };
    return isSafe ? { ...info, args: shown(message.argsText), kwargs: shown(message.kwargsText) } : info;
  });
}

/** As long as Celery's `argsrepr`. */
const shownCharacters = 1_024;

function shown(text: string): string {
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
}

/** Of those that it knows: what it does with them, and what they are. */
function queryTask({ arguments: args }: ControlRequest, worker: ControlledWorker): object {
  const { ids } = args;
  const asked = new Set<unknown>(Array.isArray(ids) ? (ids as unknown[]) : [ids]);
  const { settings, runs, delayed } = worker;
  const states = [
    ...runs.running.map(({ message }) => ['active', message] as const),
    ...delayed.held.map(({ delivery }) => ['scheduled', messageOf(delivery)] as const),
  ];
  return Object.fromEntries(
    states.flatMap(([state, message]) =>
      message !== undefined && asked.has(message.id) ? [[message.id, [state, taskInfo(message, settings)]]] : [],
    ),
  );
}

function scheduled({ delayed, settings }: ControlledWorker): readonly object[] {
  return delayed.held.flatMap(({ delivery, dueMs }) => {
    const message = messageOf(delivery);
    if (message === undefined) return [];
    const request = { ...taskInfo(message, settings), time_start: null, worker_pid: null };
    return [{ eta: isoOf(dueMs), priority: 6, request }];
  });
}

function taskInfo(message: TaskMessage, { hostname }: WorkerSettings): object {
  const { id, task, routingKey, priority, redelivered } = message;
  return {
    id,
    name: task,
    args: parsePythonJson(message.argsText),
    kwargs: parsePythonJson(message.kwargsText),
    type: task,
    hostname,
    acknowledged: false,
    delivery_info: { exchange: '', routing_key: routingKey, priority, redelivered },
  };
}

function messageOf({ text }: Delivery): TaskMessage | undefined {
  const decoded = decodeMessage(text);
  return decoded.ok ? decoded.value : undefined;
}

function queueInfo(name: string): object {
  return { name, exchange: { name, type: 'direct' }, routing_key: name, durable: true, exclusive: false };
}

function stats({ settings, startedMs, runs }: ControlledWorker, nowMs: number): object {
  const pool = {
    implementation: 'arpeggio',
    'max-concurrency': settings.concurrency,
    processes: [process.pid],
    writes: { inqueues: { total: settings.concurrency, active: runs.running.length } },
  };
  const uptime = Math.floor((nowMs - startedMs) / 1_000);
  return { pid: process.pid, uptime, prefetch_count: settings.concurrency, pool };
}
