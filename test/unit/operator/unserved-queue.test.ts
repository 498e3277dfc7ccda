import { describe, expect, test } from 'vitest';
import type { Workflow } from '#core/resources/workflow.ts';
import type { ControllerDeps } from '#operator/controllers/controller-deps.ts';
import { unservedQueueOf } from '#operator/controllers/unserved-queue.ts';
import type { DepthChange } from '#operator/depths/depth-poller.ts';
import { StalledQueues } from '#operator/depths/stalled-queues.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';

const namespace = 'ml';

interface Case {
  readonly why: string;
  /** By the name of the TaskQueue: its connection. All have one name on the wire. */
  readonly queues: Readonly<Record<string, string>>;
  /** TaskQueues that a WorkerPool names. */
  readonly served?: readonly string[];
  /** For how long nobody has taken anything from the queue of each connection. */
  readonly waitedMs: Readonly<Record<string, number>>;
  /** Where the task of a run at home on `a` goes. Default: to the queue of its home. */
  readonly route?: { readonly isWatched: boolean; readonly isAsked: boolean } | undefined;
  readonly before?: string;
  readonly found: string | undefined;
}

const ours = { isWatched: true, isAsked: false };
const celerys = { isWatched: false, isAsked: true };
const elsewhere = { isWatched: false, isAsked: false };

function stalledAfter(waitedMs: Case['waitedMs'], isWatchedSinceEmpty: boolean): StalledQueues {
  let nowMs = 0;
  let hear: (change: DepthChange) => void = () => undefined;
  const stalled = new StalledQueues({ subscribe: (listener) => ((hear = listener), () => true) }, () => nowMs);
  const look = (name: string, waiting: number): void => {
    const reading = { waiting: new Map([['work', waiting]]), held: new Map<string, number>(), taken: [], leases: [] };
    hear({ ref: { namespace, name }, reading, queues: new Set(), podUids: new Set() });
  };
  for (const [name, ms] of Object.entries(waitedMs)) {
    if (isWatchedSinceEmpty) look(name, 0);
    look(name, 1);
    nowMs += ms;
    look(name, 1);
  }
  return stalled;
}

function found({ queues, served = [], waitedMs, route = ours, before }: Case): string | undefined {
  const taskQueues = Object.entries(queues).map(([name, connection]) => ({
    metadata: { name, namespace },
    spec: { connection, queueName: 'work' },
  }));
  const pools = served.map((name) => ({ metadata: { name }, spec: { queues: [name] } }));
  const deps = {
    reflectors: { taskQueues: { group: () => taskQueues }, workerPools: { group: () => pools } },
    stalled: stalledAfter(waitedMs, before === undefined),
  } as unknown as ControllerDeps;
  const status = { home: { connection: 'a' }, ...(before === undefined ? {} : { unservedQueue: before }) };
  const workflow = { metadata: { name: 'w', namespace }, status } as unknown as Workflow;
  const driver = { run: { routeOf: () => ({ queue: 'work', ...route }) } } as unknown as RunDriver;
  return unservedQueueOf(workflow, driver, deps)?.(0);
}

describe('the TaskQueue in which a task waits for a worker', () => {
  test.each<Case>([
    { why: 'is one that nobody serves', queues: { gpu: 'a' }, waitedMs: { a: 10_000 }, found: 'gpu' },
    {
      why: 'may be one that Celery workers served',
      queues: { gpu: 'a' },
      waitedMs: { a: 10_000 },
      route: celerys,
      found: 'gpu',
    },
    { why: 'is none for ten seconds', queues: { gpu: 'a' }, waitedMs: { a: 9_999 }, found: undefined },
    {
      why: 'is none that a pool serves, however long its messages wait',
      queues: { gpu: 'a' },
      served: ['gpu'],
      waitedMs: { a: 60_000 },
      found: undefined,
    },
    {
      why: 'is none of another connection, though both queues have one name on the wire',
      queues: { gpu: 'a', other: 'b' },
      served: ['gpu'],
      waitedMs: { a: 10_000, b: 10_000 },
      found: undefined,
    },
    {
      why: 'is none where the task goes to another connection',
      queues: { gpu: 'a' },
      waitedMs: { a: 10_000 },
      route: elsewhere,
      found: undefined,
    },
    {
      why: 'stays the one that an earlier operator named, until this one has watched for ten seconds',
      queues: { gpu: 'a' },
      waitedMs: { a: 5_000 },
      before: 'gpu',
      found: 'gpu',
    },
    {
      why: 'does not stay it when a pool serves it by now',
      queues: { gpu: 'a' },
      served: ['gpu'],
      waitedMs: { a: 5_000 },
      before: 'gpu',
      found: undefined,
    },
  ])('$why', (row) => {
    expect(found(row)).toBe(row.found);
  });
});
