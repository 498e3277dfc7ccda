import { MemoryConsumer } from '#io/brokers/memory/memory-consumer.ts';
import type { CallRunner, TaskInfos } from '#worker/runtime/call-runner.ts';
import { TaskWorker } from '#worker/runtime/worker.ts';
import type { WorkerClock } from '#worker/runtime/worker-clock.ts';
import type { WorkerLog } from '#worker/runtime/worker-ports.ts';
import type { LocalHome } from './local-home.ts';
import type { LocalQueues } from './local-queues.ts';

export interface LocalWorkerOptions {
  readonly home: LocalHome;
  readonly queues: LocalQueues;
  readonly threads: CallRunner;
  readonly inline: CallRunner;
  readonly tasks: TaskInfos;
  /** Tasks at once. */
  readonly concurrency: number;
  readonly clock: WorkerClock;
  readonly newId: () => string;
  readonly log: WorkerLog;
}

/** Its nodename, which readers of results see. */
const hostname = 'local@arpeggio';

/** The worker of the worker image, on the queues of this process. */
export function openLocalWorker(options: LocalWorkerOptions): TaskWorker {
  const { home, queues, concurrency, threads, inline, tasks, clock, newId, log } = options;
  const { broker, results } = home;
  const consumer = new MemoryConsumer({ broker, results, queues: queues.names, podUid: 'local' });
  const lease = { took: () => undefined, released: () => undefined };
  const ports = {
    consumer,
    results,
    chords: noChords,
    lease,
    threads,
    inline,
    tasks,
    log,
    nowMs: clock.nowMs,
    after: clock.after,
    newId,
  };
  return new TaskWorker(ports, {
    queues: queues.names,
    concurrency,
    hostname,
    trackStarted: true,
    tellsFailures: false,
  });
}

/** Chords within messages come from Celery clients, and here are none: those of Workflows are the engine's. */
const noChords = {
  expect: () => Promise.reject(new Error('no client can send a chord to this process')),
  report: () => Promise.reject(new Error('no client can send a chord to this process')),
  entries: () => Promise.resolve([]),
  finish: () => Promise.resolve(),
};
