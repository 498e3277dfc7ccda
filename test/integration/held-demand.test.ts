import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { until } from '../cluster/kube-api.ts';
import { installChart, type InstalledChart } from '../support/chart.ts';
import { objectPath, readObject } from '../support/conditions.ts';
import { openTestNamespace, type TestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

const members = 1_000;

let cluster: ApiCluster;
let server: RunningRedis;
let chart: InstalledChart;
let operator: RunningOperator;
let redis: Redis;
let namespace: TestNamespace;

beforeAll(async () => {
  [cluster, server] = await Promise.all([startApiCluster(), startRedis()]);
  chart = await installChart(cluster);
  operator = await startTestOperator(chart);
  redis = new Redis(server.url);
  namespace = await openTestNamespace(cluster.api, 'held', server.url);
  await namespace.create('TaskQueue', 'work', { routes: ['score'] });
});
afterAll(async () => {
  redis.disconnect();
  await operator.stop();
  await Promise.all([cluster.stop(), server.stop()]);
});

interface Decision {
  readonly replicas?: number;
  readonly inputs?: { readonly waiting?: number; readonly held?: number };
}

async function replicas(): Promise<number | undefined> {
  const path = `/apis/apps/v1/namespaces/${namespace.name}/deployments/scorers`;
  const { status, body } = await cluster.api.call('GET', path);
  return status === 200 ? (body as { spec: { replicas: number } }).spec.replicas : undefined;
}
async function depths(): Promise<{ waiting: unknown; held: unknown }> {
  const { status } = await readObject(cluster.api, 'TaskQueue', namespace.name, 'work');
  return { waiting: status?.['waiting'], held: status?.['held'] };
}

test('what is held back scales a pool from nothing as if it waited, also after a restart, and ends with its run', async () => {
  // No node has such a disk: the pods stay away, and with them the slots that would let more be published.
  await namespace.create('WorkerPool', 'scorers', {
    queues: ['work'],
    concurrency: 4,
    autoscaling: { maxReplicas: 100, tasksPerSlot: 5, scaleDownDelay: '1s' },
    nodeSelector: { disk: 'none' },
  });
  await until('the pool has no pods', 60_000, async () => (await replicas()) === 0);

  await namespace.create('Workflow', 'wide', { group: Array.from({ length: members }, () => ({ task: 'score' })) });
  await until('the pool is as large as all the tasks want it', 60_000, async () => (await replicas()) === 50);
  expect(await redis.llen('work')).toBe(64);
  await until('the queue tells what is held', 60_000, async () => (await depths()).held === members - 64);
  expect(await depths()).toEqual({ waiting: 64, held: members - 64 });
  // What was held when it was decided may have been sent since.
  await until('the pool tells why it is so large', 60_000, async () => {
    const { status } = await readObject(cluster.api, 'WorkerPool', namespace.name, 'scorers');
    const { replicas: asked, inputs = {} } = (status?.['lastDecision'] ?? {}) as Decision;
    return asked === 50 && Math.ceil(((inputs.waiting ?? 0) + (inputs.held ?? 0)) / 20) === 50;
  });

  await operator.stop();
  operator = await startTestOperator(chart);
  const seen = new Set<number | undefined>();
  const untilMs = performance.now() + 3_000; // Longer than the delay after which pods go that nobody wants.
  await until('the new operator has looked long enough', 60_000, async () => {
    seen.add(await replicas());
    return performance.now() > untilMs;
  });
  expect([...seen]).toEqual([50]);
  await expect.poll(depths).toEqual({ waiting: 64, held: members - 64 });
  expect(await redis.llen('work')).toBe(64);

  await cluster.api.expect('DELETE', objectPath('Workflow', namespace.name, 'wide'));
  await until('nothing is held and no pod is wanted', 60_000, async () => (await replicas()) === 0);
  expect(await redis.keys('arp:q:*')).toEqual([]);
});
