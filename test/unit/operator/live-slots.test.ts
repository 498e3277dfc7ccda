import { beforeEach, expect, test } from 'vitest';
import type { Reflectors } from '#operator/observed/reflectors.ts';
import type { DepthReading } from '#operator/depths/depth-reading.ts';
import { LiveSlots } from '#operator/depths/live-slots.ts';

const ref = { namespace: 'ml', name: 'arpeggio' };
let nowMs: number;
let readyReplicas: number;
let leases: DepthReading['leases'];

beforeEach(() => {
  nowMs = 0;
  readyReplicas = 0;
  leases = [];
});

function openSlots(connection = 'arpeggio'): LiveSlots {
  const queues = new Map(
    ['train', 'score'].map((name) => [`ml/${name}`, { metadata: { name }, spec: { connection } }]),
  );
  const pool = { metadata: { namespace: 'ml', name: 'gpu' }, spec: { queues: ['train', 'score'], concurrency: 4 } };
  const reflectors = {
    taskQueues: { get: (key: string) => queues.get(key) },
    workerPools: { group: () => [pool] },
    deployments: { get: () => ({ status: { readyReplicas } }) },
    pods: { group: () => [{ metadata: { uid: 'pod-1' } }, { metadata: { uid: 'pod-2' } }] },
  } as unknown as Reflectors;
  return new LiveSlots({
    reflectors,
    readingOf: () => ({ waiting: new Map(), held: new Map(), leases }),
    nowMs: () => nowMs,
  });
}

test('ready pods have as many slots as their pool says, for each of its queues', () => {
  readyReplicas = 3;
  const slots = openSlots();
  expect([slots.of(ref, 'train'), slots.of(ref, 'score')]).toEqual([12, 12]);
});

test('workers that say how many they have are believed, whether or not their pods are ready', () => {
  readyReplicas = 1;
  leases = [
    { podUid: 'pod-1', slots: 64, busy: 0 },
    { podUid: 'pod-2', slots: 64, busy: 3 },
    { podUid: 'somebody', slots: 99, busy: 0 },
  ];
  expect(openSlots().of(ref, 'train')).toBe(128);
});

test('no worker, no pool or another connection is not known', () => {
  expect(openSlots().of(ref, 'train')).toBeUndefined();
  readyReplicas = 1;
  expect(openSlots().of(ref, 'elsewhere')).toBeUndefined();
  expect(openSlots('other').of(ref, 'train')).toBeUndefined();
});

test('a new pod counts within 200 ms', () => {
  const slots = openSlots();
  expect(slots.of(ref, 'train')).toBeUndefined();
  readyReplicas = 1;
  nowMs += 200;
  expect(slots.of(ref, 'train')).toBe(4);
});
