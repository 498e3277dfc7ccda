import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { startCeleryWorker, type CeleryWorker } from '../support/celery.ts';
import { installChart } from '../support/chart.ts';
import { objectPath } from '../support/conditions.ts';
import { openTestNamespace, type TestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

const folder = join(REPOSITORY, 'test', 'integration', 'worker');

let cluster: ApiCluster;
let redis: RunningRedis;
let operator: RunningOperator;
let worker: WorkerProcess;
let celery: CeleryWorker;
let space: TestNamespace;
let client: Redis;

beforeAll(async () => {
  [cluster, redis] = await Promise.all([startApiCluster(), startRedis()]);
  operator = await startTestOperator(await installChart(cluster));
  space = await openTestNamespace(cluster.api, 'limits', redis.url);
  for (const queue of ['default', 'python']) await space.create('TaskQueue', queue, {});
  await space.create('WorkerPool', 'workers', { queues: ['default'], image: 'none', replicas: 0 });
  client = new Redis(redis.url);
  [worker, celery] = await Promise.all([
    startWorker({
      url: redis.url,
      tasks: join(folder, 'control-tasks.ts'),
      concurrency: 3,
      queues: 'default',
      env: { ARPEGGIO_RESULTS_URL: redis.url },
    }),
    startCeleryWorker({
      app: join(folder, 'long.py'),
      redisUrl: redis.url,
      queues: ['python'],
      concurrency: 1,
      settings: ['task.acks_late=true', 'task.track_started=true'],
    }),
  ]);
});

afterAll(async () => {
  await Promise.all([worker.stop('SIGTERM'), celery.stop()]);
  client.disconnect();
  await operator.stop();
  await Promise.all([cluster.stop(), redis.stop()]);
});

async function cancelled(name: string): Promise<Record<string, unknown>> {
  const answer = await cluster.api.call(
    'PATCH',
    objectPath('Workflow', space.name, name),
    { spec: { cancel: true } },
    'application/merge-patch+json',
  );
  expect(answer.status).toBe(200);
  let status: Record<string, unknown> = {};
  await until(`${name} has ended`, 60_000, async () => {
    status = await space.workflowStatus(name);
    return status['finishedAt'] !== undefined;
  });
  return status;
}

describe('on our workers a Workflow', () => {
  test.each([
    {
      name: 'chunks',
      spec: { map: { task: 'picky', over: [5, 4, 3, 2, 1], chunk: 2 } },
      status: { state: 'Succeeded', result: [5, 4, 3, 2, 1] },
    },
    {
      name: 'unpacked',
      spec: {
        chain: [
          {
            task: 'ident',
            args: [
              [
                [1, 2],
                [3, 4],
                [5, 6],
              ],
            ],
          },
          { map: { task: 'add', chunk: 2, unpack: true } },
        ],
      },
      status: { state: 'Succeeded', result: [3, 7, 11] },
    },
    {
      name: 'one-bad-item',
      spec: { map: { task: 'picky', over: [1, -1, 2], chunk: 3 } },
      status: { state: 'Failed', failures: [{ type: 'RangeError', message: '-1 is below zero' }] },
    },
    {
      name: 'ignored',
      spec: { chain: [{ task: 'ignores' }, { task: 'ident' }], deadline: '20s' },
      status: { state: 'Failed', failures: [{ type: 'NoResult' }] },
    },
    {
      name: 'rejected',
      spec: { chain: [{ task: 'requeued', retry: { onLost: 'Fail' } }, { task: 'rejects' }] },
      status: { state: 'Failed', failures: [{ type: 'Reject', step: 2 }] },
    },
    {
      name: 'hard',
      spec: { task: 'stubborn', timeLimit: '1s' },
      status: {
        state: 'Failed',
        failures: [{ type: 'TimeLimitExceeded', message: 'it ran longer than its time limit of 1 s, and was ended' }],
      },
    },
    {
      name: 'soft',
      spec: { task: 'graceful', timeLimit: '30s', softTimeLimit: '1s' },
      status: { state: 'Succeeded', result: 'SoftTimeLimitExceeded' },
    },
  ])('$name', async ({ name, spec, status }) => {
    expect(await space.run(name, spec)).toMatchObject(status);
  });

  test('that is cancelled ends what runs, asked or not, and takes back what waits', async () => {
    const tasks = ['graceful', 'stubborn', 'deaf', 'ident', 'ident'].map((task) => ({ task, args: [] }));
    await space.create('Workflow', 'stopped', { group: tasks });
    await until('three run', 60_000, async () => (await client.hlen('unacked')) === 3);
    const status = await cancelled('stopped');
    expect(status).toMatchObject({ state: 'Cancelled' });
    expect(status['notStopped'] ?? []).toEqual([]);
    await until('nothing is held', 60_000, async () => (await client.hlen('unacked')) === 0);
    expect(await space.run('after', { task: 'add', args: [1, 1] })).toMatchObject({ result: 2 });
  });
});

test('on an unmodified Celery worker a cancelled Workflow ends what runs', async () => {
  await space.create('Workflow', 'python', {
    chain: [{ task: 'long', args: [600], queue: 'python' }, { task: 'ident' }],
  });
  await until('it runs', 60_000, async () => (await client.hlen('unacked')) === 1);
  expect(await cancelled('python')).toMatchObject({ state: 'Cancelled' });
  const after = await space.run('python-after', { task: 'long', args: [0], queue: 'python' });
  expect(after).toMatchObject({ state: 'Succeeded', result: 'rested' });
});
