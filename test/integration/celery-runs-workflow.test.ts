import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { runPython, startCeleryWorker, type CeleryRelease, type CeleryWorker } from '../support/celery.ts';
import { installChart } from '../support/chart.ts';
import { objectPath } from '../support/conditions.ts';
import { openTestNamespace, type TestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';

const app = join(REPOSITORY, 'test', 'integration', 'celery', 'canvas.py');
const releases: readonly CeleryRelease[] = ['5.7.0', '5.6.3', '5.2.7'];

/** What `on_fail` notes of its request. */
interface Failed {
  readonly context: string;
  readonly id: string;
  readonly task: string;
  readonly args: readonly unknown[];
}

let cluster: ApiCluster;
let redis: RunningRedis;
let operator: RunningOperator;

beforeAll(async () => {
  [cluster, redis] = await Promise.all([startApiCluster(), startRedis()]);
  operator = await startTestOperator(await installChart(cluster));
});

afterAll(async () => {
  await operator.stop();
  await Promise.all([cluster.stop(), redis.stop()]);
});

describe.each(releases)('an unmodified Celery %s worker', (release) => {
  let worker: CeleryWorker;
  let namespace: TestNamespace;
  let notes: Redis;
  let redisUrl: string;

  /** What a task left under this name; waits for it, because nothing tells when it is written. */
  async function noted(name: string): Promise<unknown> {
    let note: unknown;
    await until(`a note ${name}`, 60_000, async () => {
      const text = await notes.lpop(`test:${name}`);
      if (text === null) return false;
      note = JSON.parse(text);
      return true;
    });
    return note;
  }

  beforeAll(async () => {
    redisUrl = redis.url.replace(/\d+$/, String(1 + releases.indexOf(release)));
    notes = new Redis(redisUrl);
    namespace = await openTestNamespace(cluster.api, `celery-${release.replaceAll('.', '-')}`, redisUrl);
    // No WorkerPool serves the queue: the operator cannot know that its workers understand plain errbacks.
    await namespace.create('TaskQueue', 'default', { queueName: 'python' });
    const settings = ['task.acks_late=true', 'worker.prefetch_multiplier=1'];
    worker = await startCeleryWorker({ release, app, redisUrl, queues: ['python'], settings });
  });

  afterAll(async () => {
    await worker.stop();
    notes.disconnect();
  });

  test.each([
    {
      why: 'gives each step of a chain the result of the one before',
      name: 'chain',
      spec: { chain: [{ task: 'add', args: [1, 2] }, { task: 'add', args: [10] }, { task: 'square' }] },
      result: 169,
    },
    {
      why: 'takes positional and keyword arguments, and leaves out what came before when immutable',
      name: 'arguments',
      spec: {
        chain: [
          { task: 'same', args: ['hello'] },
          { task: 'greet', kwargs: { name: 'Ada', times: 2 } },
          { task: 'greet', args: ['good bye', 'Bob'], immutable: true },
        ],
      },
      result: 'good bye Bob',
    },
    {
      why: 'prepends the result to the arguments as written',
      name: 'prepended',
      spec: {
        chain: [
          { task: 'same', args: ['hello'] },
          { task: 'greet', kwargs: { name: 'Ada', times: 2 } },
        ],
      },
      result: 'hello Adahello Ada',
    },
    {
      why: 'hands the list of a group, in order, to the step after it',
      name: 'group-then-step',
      spec: { chain: [{ group: [1, 2, 3, 4].map((x) => ({ task: 'square', args: [x] })) }, { task: 'same' }] },
      result: [1, 4, 9, 16],
    },
    {
      why: 'runs the body of a chord with what chains in its header computed',
      name: 'chord',
      spec: {
        chord: {
          header: [
            { chain: [{ task: 'add', args: [1, 1] }, { task: 'square' }] },
            { task: 'square', args: [3] },
            {
              group: [
                { task: 'same', args: [5] },
                { task: 'same', args: [6] },
              ],
            },
          ],
          body: { task: 'same' },
        },
      },
      result: [4, 9, [5, 6]],
    },
    {
      why: 'gets numbers exactly as Python wrote them',
      name: 'numbers',
      spec: {
        group: [
          { chain: [{ task: 'divide', args: [2, 2] }, { task: 'kind' }] },
          { chain: [{ task: 'square', args: [2 ** 30] }, { task: 'kind' }] },
          { chain: [{ task: 'square', args: [2 ** 30] }, { task: 'square' }, { task: 'kind' }] },
        ],
      },
      result: [
        ['float', '1.0'],
        ['int', String(2n ** 60n)],
        ['int', String(2n ** 120n)],
      ],
    },
  ])('$why', async ({ name, spec, result }) => {
    const status = await namespace.run(name, spec);
    expect(status).toMatchObject({ state: 'Succeeded', result });
    expect(status.progress).toBe(`${String(status.total)}/${String(status.total)}`);
  });

  test('calls link with the result and the arguments as written', async () => {
    const link = [{ task: 'on_success', args: [`user-${release}`] }];
    expect(await namespace.run('link', { task: 'add', args: [20, 22], link })).toMatchObject({ state: 'Succeeded' });
    expect(await noted(`user-${release}`)).toBe(42);
  });

  test('calls the errback inside itself, with the request of the task that failed', async () => {
    const status = await namespace.run('errback', {
      chain: [{ task: 'add', args: [1, 0] }, { task: 'divide', args: [0] }, { task: 'same' }],
      linkError: [{ task: 'on_fail' }],
      finally: [{ task: 'cleanup' }],
    });
    expect(status).toMatchObject({ state: 'Failed', failed: 1 });
    const failure = status.failures![0]!;
    expect(failure).toMatchObject({ path: 'spec.chain[1]', task: 'divide', type: 'ZeroDivisionError' });
    const told = await noted(`failed:${failure.taskId!}`);
    expect(told).toMatchObject({
      context: 'Context',
      id: failure.taskId,
      task: 'divide',
      args: [1, 0],
      kwargs: {},
      isException: true,
      traceback: null,
    });
    expect(JSON.stringify(told)).toContain('division by zero');
    expect(status.handlers).toMatchObject([
      { kind: 'LinkError', task: 'on_fail', state: 'Succeeded' },
      { kind: 'Finally', task: 'cleanup', state: 'Succeeded' },
    ]);
    expect(await noted('cleanup')).toMatchObject({ state: 'Failed', failed: [failure.taskId] });
    expect(await notes.llen(`test:failed:${failure.taskId!}`)).toBe(0);
  });

  test('calls the errback of what was retried in vain, lost, mapped or still waiting, each with its own request', async () => {
    const linkError = [{ task: 'on_fail' }];
    await namespace.create('Workflow', 'errbacks', {
      group: [
        { task: 'divide', args: [1, 0], retry: { maxRetries: 1, backoff: '10ms' }, linkError },
        { task: 'die', args: ['out of memory'], retry: { onLost: 'Fail' }, linkError },
        { map: { task: 'divide', over: [2, 3], args: [0] }, linkError },
        { task: 'same', args: ['too late'], countdown: '1h', linkError },
      ],
      deadline: '1h',
      finally: [{ task: 'cleanup' }],
    });
    // All but the last: a deadline that is there from the start may come before a process has died and was replaced.
    const shown = async () => namespace.workflowStatus('errbacks');
    await expect.poll(shown, { timeout: 90_000 }).toMatchObject({ failed: 4 });
    const path = objectPath('Workflow', namespace.name, 'errbacks');
    await cluster.api.call('PATCH', path, { spec: { deadline: '1s' } }, 'application/merge-patch+json');
    await expect.poll(shown, { timeout: 90_000 }).toHaveProperty('finishedAt');
    const status = await shown();
    const handlers = [...Array<string>(4).fill('LinkError'), 'Finally'];
    expect(status.handlers).toMatchObject(handlers.map((kind) => ({ kind, state: 'Succeeded' })));
    const told = await Promise.all(
      (await notes.keys('test:failed:*')).map((key) => noted(key.slice('test:'.length)) as Promise<Failed>),
    );
    expect(told.map(({ context, task, args }) => [context, task, args]).sort()).toEqual([
      ['Context', 'die', ['out of memory']],
      ['Context', 'divide', [1, 0]],
      ['Context', 'divide', [2, 0]],
      ['Context', 'same', ['too late']],
    ]);
    const [retried] = told.filter(({ args }) => args[0] === 1);
    expect(status.failures).toContainEqual(expect.objectContaining({ taskId: retried!.id, type: 'ZeroDivisionError' }));
    expect(await noted('cleanup')).toMatchObject({ state: 'Failed' });
  });

  test('leaves the result of the run where AsyncResult finds it', async () => {
    const { resultTaskId } = await namespace.run('found', {
      chain: [
        {
          group: [
            { task: 'add', args: [1, 2] },
            { task: 'add', args: [3, 4] },
          ],
        },
        { task: 'total' },
      ],
    });
    const source = `print(app.AsyncResult(${JSON.stringify(resultTaskId)}).get(timeout=90))`;
    expect(await runPython({ release, app, redisUrl }, source)).toBe('10');
  });

  test('says of a task it does not know that it is not registered, and nothing after it runs', async () => {
    const status = await namespace.run('unknown', {
      chain: [{ task: 'nobody.knows.this' }, { task: 'on_success', args: ['never'] }],
    });
    expect(status).toMatchObject({ state: 'Failed', failed: 1, done: 1 });
    expect(status.failures).toMatchObject([{ task: 'nobody.knows.this', type: 'NotRegistered' }]);
    expect(await notes.llen('test:never')).toBe(0);
  });
});
