import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Workflow } from '#core/resources/workflow.ts';
import { KubeClient } from '#io/kube/client.ts';
import { Reflector } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { installChart, type InstalledChart } from '../support/chart.ts';
import { objectPath, readObject, untilCondition } from '../support/conditions.ts';
import { openTestNamespace, type TestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

const tasks = join(REPOSITORY, 'test', 'integration', 'tasks');

let cluster: ApiCluster;
let redis: RunningRedis;
let chart: InstalledChart;
let operator: RunningOperator;
let worker: WorkerProcess;
let space: TestNamespace;

beforeAll(async () => {
  [cluster, redis] = await Promise.all([startApiCluster(), startRedis({ appendOnly: true })]);
  chart = await installChart(cluster, ['payloads.maxResultBytes=65536']);
  operator = await startTestOperator(chart);
  space = await openTestNamespace(cluster.api, 'workflows', redis.url);
  await space.create('TaskQueue', 'default', {});
  // The pool's pods are kwok's: the worker beside them is what really works.
  await space.create('WorkerPool', 'workers', { queues: ['default'], image: 'none', replicas: 0 });
  worker = await workerOn('default', { concurrency: 4 });
});

afterAll(async () => {
  await worker.stop('SIGTERM');
  await operator.stop();
  await Promise.all([cluster.stop(), redis.stop()]);
});

describe('a Workflow', () => {
  test.each([
    { name: 'single', spec: { task: 'add', args: [1, 2] }, result: 3 },
    {
      name: 'chain',
      spec: { chain: [{ task: 'add', args: [1, 2] }, { task: 'add', args: [10] }, { task: 'square' }] },
      result: 169,
    },
    { name: 'group', spec: { group: [3, 1, 2].map((x) => ({ task: 'square', args: [x] })) }, result: [9, 1, 4] },
    {
      name: 'chord',
      spec: { chord: { header: [1, 2, 3].map((x) => ({ task: 'square', args: [x] })), body: { task: 'add' } } },
      result: 14,
    },
    {
      name: 'nested',
      spec: {
        chain: [
          {
            group: [
              { group: [{ task: 'square', args: [2] }] },
              { chain: [{ task: 'add', args: [1] }, { task: 'square' }] },
            ],
          },
          { task: 'echo', args: ['last'] },
        ],
      },
      result: [[[4], 1], 'last'],
    },
    {
      name: 'immutable',
      spec: {
        chain: [
          { task: 'add', args: [5] },
          { task: 'add', args: [1], immutable: true },
        ],
      },
      result: 1,
    },
    { name: 'empty-group', spec: { chain: [{ group: [] }, { task: 'echo' }] }, result: [[]] },
    {
      name: 'nulls',
      spec: { task: 'echo', args: [null, { a: null, b: [null] }] },
      result: [null, { a: null, b: [null] }],
    },
    { name: 'no-tasks', spec: { group: [] }, result: [] },
  ])('$name succeeds with its result', async ({ name, spec, result }) => {
    const status = await space.run(name, spec);
    expect(status).toMatchObject({ state: 'Succeeded', result });
    expect(status.progress).toBe(`${status.total}/${status.total}`);
    expect(status.duration).toBeDefined();
  });

  test.each([
    { why: 'when it is short', name: 'counted', spec: { task: 'add', args: [1] }, least: 2 },
    {
      why: 'while it takes its time',
      name: 'paced',
      spec: { chain: Array.from({ length: 12 }, () => ({ task: 'slow', args: [200], immutable: true })) },
      least: 3,
    },
  ])('is written to the API server once a second at most, beside its first and its last, $why', async (row) => {
    const { name, spec, least } = row;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(chart.kubeconfigPath);
    const client = new KubeClient(kubeConfig);
    const watching = new AbortController();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const reflector = new Reflector<Workflow>({
      client,
      scope: { resource: resources.workflows },
      namespaces: [],
      log,
    });
    const running = reflector.run(watching.signal);
    await reflector.synced;
    const versions = new Set<string | undefined>();
    reflector.subscribe(({ key, object }) => {
      if (key === `${space.name}/${name}`) versions.add(object?.metadata.resourceVersion);
    });
    const startedMs = performance.now();
    await space.run(name, spec);
    const wholeSeconds = Math.floor((performance.now() - startedMs) / 1_000);
    await until('the watch shows the end', 60_000, () =>
      Promise.resolve(reflector.get(`${space.name}/${name}`)?.status?.finishedAt !== undefined),
    );
    watching.abort();
    await running;
    await client.close();
    // Beside the one in which it was created: its home, what it came to, and its end; five at most within five seconds.
    expect(versions.size - 1).toBeGreaterThanOrEqual(least);
    expect(versions.size - 1).toBeLessThanOrEqual(wholeSeconds < 5 ? Math.min(5, 2 + wholeSeconds) : 2 + wholeSeconds);
  });

  test('fails with its failing step, calls errbacks with (request, exc, traceback), links and finally', async () => {
    const status = await space.run('failing', {
      chain: [
        { task: 'add', args: [1], link: [{ task: 'echo' }] },
        { task: 'fail', linkError: [{ task: 'echo', args: ['own'] }] },
        { task: 'add' },
      ],
      link: [{ task: 'echo', args: ['never'] }],
      linkError: [{ task: 'echo', args: ['run'] }],
      finally: [{ task: 'echo', args: ['clean'] }],
    });
    expect(status).toMatchObject({
      state: 'Failed',
      progress: '2/3',
      failed: 1,
      failures: [{ path: 'spec.chain[1]', task: 'fail', type: 'RangeError', message: 'told to' }],
    });
    expect(status.conditions?.[0]).toMatchObject({ type: 'Succeeded', status: 'False', reason: 'Failed' });
    expect(status.steps?.map(({ state }) => state)).toEqual(['Succeeded', 'Failed', 'Skipped']);
    expect(status.handlers?.map(({ kind, path, state }) => `${kind} ${path} ${state}`)).toEqual([
      'Link spec.chain[0].link[0] Succeeded',
      'LinkError spec.chain[1].linkError[0] Succeeded',
      'LinkError spec.linkError[0] Succeeded',
      'Finally spec.finally[0] Succeeded',
    ]);
    const [errback, last] = [status.handlers?.at(1), status.handlers?.at(-1)];
    const [request, exc, , own] = (await resultOf(errback?.taskId)) as [
      { id: string },
      { exc_type: string },
      string,
      string,
    ];
    const failedId = status.failures?.at(0)?.taskId;
    expect(request.id).toBe(failedId);
    expect(exc.exc_type).toBe('RangeError');
    expect(own).toBe('own');
    expect(await resultOf(last?.taskId)).toEqual([{ state: 'Failed', reason: 'Failed', failed: [failedId] }, 'clean']);
  });

  test('goes on under another operator, and no task runs twice', async () => {
    await space.create('Workflow', 'handed-over', {
      chain: [{ task: 'slow', args: [1_500] }, { task: 'slow', args: [500], immutable: true }, { task: 'echo' }],
    });
    await untilCondition(cluster.api, {
      kind: 'Workflow',
      namespace: space.name,
      name: 'handed-over',
      type: 'Succeeded',
      reason: 'Running',
    });
    await operator.stop();
    operator = await startTestOperator(chart);
    const status = await ended('handed-over');
    expect(status).toMatchObject({ state: 'Succeeded', result: ['awake'] });
    expect(status['steps']).toHaveLength(3);
    for (const step of status['steps'] as object[]) expect(step).not.toHaveProperty('attempt');
  });

  test('runs a task again whose worker was killed in the middle of it', async () => {
    const podUid = randomUUID();
    const queue = 'fragile';
    await space.create('TaskQueue', queue, {});
    await space.create('WorkerPool', queue, { queues: [queue], image: 'none', replicas: 0 });
    const first = await workerOn(queue, { podUid });
    await space.create('Workflow', 'killed', { task: 'slow', args: [3_000], queue });
    const client = new Redis(redis.url);
    await until('the task is being worked on', 60_000, async () => (await client.hlen('unacked')) > 0);
    await first.stop('SIGKILL');
    const second = await workerOn(queue, { podUid });
    expect(await ended('killed')).toMatchObject({ state: 'Succeeded', result: 'awake' });
    await until('nothing is held', 60_000, async () => (await client.hlen('unacked')) === 0);
    client.disconnect();
    await second.stop('SIGTERM');
  });
});

describe('when things are wrong', () => {
  test.each([
    {
      name: 'unknown-task',
      why: 'an unknown task',
      spec: { task: 'no_such_task' },
      state: 'Failed',
      message: /spec: task no_such_task failed with NotRegistered/,
    },
    {
      name: 'invalid',
      why: 'an invalid canvas, below what the API server checks',
      spec: { chain: [{ chain: [{ chain: [{ chain: [{ tsak: 'add' }] }] }] }] },
      state: 'Invalid',
      message: /spec\.chain\[0\]\.chain\[0\]\.chain\[0\]\.chain\[0\].*tsak/,
    },
    {
      name: 'too-large',
      why: 'a result larger than the chart allows',
      spec: { chain: [{ task: 'large', args: [70_000] }, { task: 'echo' }] },
      state: 'Failed',
      message: /spec\.chain\[0\].*ResultTooLarge.*more than the 65536 that a run keeps.*payloads\.maxResultBytes/,
    },
  ])('$why is told in the condition', async ({ name, spec, state, message }) => {
    const status = await space.run(name, spec);
    expect(status.state).toBe(state);
    expect(status.conditions?.[0]?.message).toMatch(message);
  });

  test('a task that no queue takes waits, says so, ends when it is asked to, and goes on when one does', async () => {
    const lonely = await openTestNamespace(cluster.api, 'lonely', redis.url.replace(/\d+$/, '5'));
    const waiting = { task: 'add', args: [1] };
    const names = { waits: waiting, stops: waiting, hurries: { ...waiting, deadline: '1s' } };
    for (const [name, spec] of Object.entries(names)) await lonely.create('Workflow', name, spec);
    const what = { kind: 'Workflow', namespace: 'lonely', type: 'Succeeded' } as const;
    let noQueue = '';
    for (const name of ['waits', 'stops']) {
      const condition = await untilCondition(cluster.api, { ...what, name, reason: 'NoQueue' });
      expect(condition.message).toContain('spec: no TaskQueue takes task add');
      noQueue = condition.message;
    }
    const patch = async (spec: object): Promise<void> => {
      const path = '/apis/arpeggio.dev/v1alpha1/namespaces/lonely/workflows/stops';
      const answer = await cluster.api.call('PATCH', path, { spec }, 'application/merge-patch+json');
      expect(answer.status).toBe(200);
    };
    await patch({ cancel: true });
    const why = `could begin, and no handler was called: NoQueue: ${noQueue}`;
    const stopped = await untilCondition(cluster.api, { ...what, name: 'stops', reason: 'Cancelled' });
    expect([stopped.status, stopped.message]).toEqual(['False', `it was cancelled before it ${why}`]);
    const late = await untilCondition(cluster.api, { ...what, name: 'hurries', reason: 'DeadlineExceeded' });
    expect([late.status, late.message]).toEqual(['False', `its deadline of 1s passed before it ${why}`]);
    await patch({ cancel: false, retryFailed: 1 });
    await lonely.create('TaskQueue', 'default', {});
    for (const name of ['waits', 'stops']) await untilCondition(cluster.api, { ...what, name, reason: 'Running' });
    await cluster.api.expect('DELETE', '/api/v1/namespaces/lonely');
    await until(
      'the namespace is gone',
      60_000,
      async () => (await cluster.api.call('GET', '/api/v1/namespaces/lonely')).status === 404,
    );
  });

  test('a missing connection Secret is named, and mended by creating it', async () => {
    const name = 'secretless';
    const late = await openTestNamespace(cluster.api, name, redis.url.replace(/\d+$/, '6'));
    const secret = `/api/v1/namespaces/${name}/secrets`;
    await late.create('TaskQueue', 'default', { connection: 'missing' });
    await late.create('Workflow', 'waits', { task: 'add', args: [1] });
    const what = { kind: 'Workflow', namespace: name, name: 'waits', type: 'Succeeded' } as const;
    const condition = await untilCondition(cluster.api, { ...what, reason: 'ConnectionNotReady' });
    expect(condition.message).toContain('missing');
    const url = redis.url.replace(/\d+$/, '6');
    await cluster.api.expect('POST', secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'arpeggio.dev/connection',
      metadata: { name: 'missing' },
      stringData: { broker: url, results: url },
    });
    await untilCondition(cluster.api, { ...what, reason: 'Running', withinMs: 60_000 });
  });

  test('deleting a Workflow takes its waiting messages back and is not held up', async () => {
    await space.create('TaskQueue', 'nobody', {});
    await space.create('Workflow', 'deleted', {
      group: [1, 2, 3].map((x) => ({ task: 'add', args: [x], queue: 'nobody' })),
    });
    const client = new Redis(redis.url);
    await until('the messages wait', 60_000, async () => (await client.llen('nobody')) === 3);
    await cluster.api.expect('DELETE', objectPath('Workflow', space.name, 'deleted'));
    await until('they are taken back', 60_000, async () => (await client.llen('nobody')) === 0);
    expect((await cluster.api.call('GET', objectPath('Workflow', space.name, 'deleted'))).status).toBe(404);
    client.disconnect();
  });

  test('a run that its Redis lost and status does not remember says so, and does not begin a second time', async () => {
    await space.create('TaskQueue', 'idle', {});
    await space.create('Workflow', 'lost', { task: 'add', args: [1], queue: 'idle' });
    const what = { kind: 'Workflow', namespace: space.name, name: 'lost', type: 'Succeeded' } as const;
    await untilCondition(cluster.api, { ...what, reason: 'Running' });
    const { uid } = (await readObject(cluster.api, 'Workflow', space.name, 'lost')).metadata;
    await operator.stop();
    const client = new Redis(redis.url);
    await client.del(...(await client.keys(`arp:r:${uid}:*`)), 'idle');
    const forgotten = { status: { checkpoint: null } };
    const path = `${objectPath('Workflow', space.name, 'lost')}/status`;
    await cluster.api.call('PATCH', path, forgotten, 'application/merge-patch+json');
    operator = await startTestOperator(chart);
    const condition = await untilCondition(cluster.api, { ...what, reason: 'DataLost', withinMs: 60_000 });
    expect(condition).toMatchObject({ status: 'False' });
    expect(condition.message).toContain('create the Workflow anew');
    expect(await client.llen('idle')).toBe(0);
    client.disconnect();
  });

  test('a run survives the Redis being away', async () => {
    await space.create('Workflow', 'outlives', {
      chain: [{ task: 'slow', args: [500] }, { task: 'slow', args: [500], immutable: true }, { task: 'echo' }],
    });
    await untilCondition(cluster.api, {
      kind: 'Workflow',
      namespace: space.name,
      name: 'outlives',
      type: 'Succeeded',
      reason: 'Running',
    });
    await redis.kill();
    await redis.restart();
    expect(await ended('outlives')).toMatchObject({ state: 'Succeeded', result: ['awake'] });
  });
});

function workerOn(queues: string, options: { concurrency?: number; podUid?: string }): Promise<WorkerProcess> {
  return startWorker({ url: redis.url, tasks, queues, env: { ARPEGGIO_RESULTS_URL: redis.url }, ...options });
}

async function ended(name: string): Promise<Record<string, unknown>> {
  let status: Record<string, unknown> = {};
  await until(`workflow ${name} ends`, 90_000, async () => {
    status = (await readObject(cluster.api, 'Workflow', space.name, name)).status ?? {};
    return status['finishedAt'] !== undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(status)}; the worker said ${worker.output()}`);
  });
  return status;
}

async function resultOf(taskId: string | undefined): Promise<unknown> {
  const client = new Redis(redis.url);
  const text = await client.get(`celery-task-meta-${taskId ?? ''}`);
  client.disconnect();
  return text === null ? undefined : (JSON.parse(text) as { result: unknown }).result;
}
