import { describe, expect, test } from 'vitest';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { ControllerDeps } from '#operator/controllers/controller-deps.ts';
import type { Pod } from '#operator/observed/observed-objects.ts';
import { observePool } from '#operator/controllers/pool-observation.ts';
import type { DepthReading } from '#operator/depths/depth-reading.ts';

const metadata = { namespace: 'ml', name: 'gpu', uid: 'u', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
const pool = { metadata, spec: { queues: ['train'], concurrency: 2 } } as unknown as WorkerPool;

function aPod(uid: string, ready: 'True' | 'False', more: object = {}): Pod {
  const conditions = [{ type: 'Ready', status: ready }];
  return { metadata: { name: uid, namespace: 'ml', uid, ...more }, status: { phase: 'Running', conditions } };
}

function observe(pods: readonly Pod[], reading: DepthReading | undefined) {
  const queue = { metadata: { name: 'train' }, spec: { connection: 'arpeggio' } };
  const deps = {
    reflectors: {
      taskQueues: { get: () => queue },
      workerPools: { group: () => [pool] },
      pods: { group: (key: string) => (key === 'ml/gpu' ? pods : []) },
    },
    connections: { get: () => ({ state: 'Opening' }) },
    depths: { get: () => reading },
  } as unknown as ControllerDeps;
  return observePool(pool, undefined, deps);
}

const depths = { waiting: new Map([['train', 3]]), held: new Map([['train', 1]]) };
const lease = { podUid: 'a', slots: 2, busy: 1 };

describe('the slots of a pool', () => {
  test.each([
    { why: 'are none without pods', pods: [], leases: [], want: { busy: 0, free: 0 } },
    { why: 'are what workers tell', pods: [aPod('a', 'True')], leases: [lease], want: { busy: 1, free: 1 } },
    { why: 'are those of its own pods', pods: [], leases: [lease], want: { busy: 0, free: 0 } },
    { why: 'are not known before a ready pod has told', pods: [aPod('a', 'True')], leases: [], want: undefined },
    {
      why: 'are not known though some have told',
      pods: [aPod('a', 'True'), aPod('b', 'True')],
      leases: [lease],
      want: undefined,
    },
    {
      why: 'do not wait for a pod that does not run',
      pods: [aPod('a', 'True'), aPod('b', 'False')],
      leases: [lease],
      want: { busy: 1, free: 1 },
    },
    {
      why: 'do not wait for a pod on its way out',
      pods: [aPod('a', 'True'), aPod('b', 'True', { deletionTimestamp: '2026-01-01T00:00:00Z' })],
      leases: [lease],
      want: { busy: 1, free: 1 },
    },
  ])('$why', ({ pods, leases, want }) => {
    expect(observe(pods, { ...depths, taken: [], leases }).slots).toEqual(want);
  });
});

describe('the demand for a pool', () => {
  test.each([
    { why: 'is what its queues hold', reading: { ...depths, taken: [] }, want: { waiting: 3, held: 1, inFlight: 0 } },
    { why: 'is not known while nothing could be read', reading: undefined, want: undefined },
    { why: 'is not known while it is not known what workers have', reading: depths, want: undefined },
    {
      why: 'is not known before the queue was read',
      reading: { ...depths, taken: [], waiting: new Map<string, number>() },
      want: undefined,
    },
  ])('$why', ({ reading, want }) => {
    expect(observe([], reading && { ...reading, leases: [] }).demand).toEqual(want);
  });
});
