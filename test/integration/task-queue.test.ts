import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { until } from '../cluster/kube-api.ts';
import { installChart } from '../support/chart.ts';
import { objectPath, readObject, untilCondition } from '../support/conditions.ts';
import { startTestOperator } from '../support/operator.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

let cluster: ApiCluster;
let server: RunningRedis;
let guarded: RunningRedis;
let operator: RunningOperator;
let namespace = '';
let count = 0;
let url = '';

beforeAll(async () => {
  [cluster, server, guarded] = await Promise.all([
    startApiCluster(),
    startRedis(),
    startRedis({ password: 'open-sesame' }),
  ]);
  operator = await startTestOperator(await installChart(cluster));
});
afterAll(async () => {
  await operator.stop();
  await Promise.all([cluster.stop(), server.stop(), guarded.stop()]);
});
beforeEach(async () => {
  count += 1;
  namespace = `queues-${String(count)}`;
  url = server.url.replace(/\d+$/, String(count));
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.api.expect('POST', '/api/v1/namespaces', body);
});
afterEach(async () => {
  await cluster.api.expect('DELETE', `/api/v1/namespaces/${namespace}`);
});

async function createQueue(name: string, spec: object = {}): Promise<void> {
  await create('taskqueues', 'TaskQueue', { name, spec });
}
async function create(plural: string, kind: string, { name, spec }: { name: string; spec: object }): Promise<void> {
  const path = `/apis/arpeggio.dev/v1alpha1/namespaces/${namespace}/${plural}`;
  await cluster.api.expect('POST', path, { apiVersion: 'arpeggio.dev/v1alpha1', kind, metadata: { name }, spec });
}
async function unservedOf(workflow: string): Promise<unknown> {
  return (await readObject(cluster.api, 'Workflow', namespace, workflow)).status?.['unservedQueue'];
}
async function putSecret(stringData: Record<string, string>, type = 'arpeggio.dev/connection'): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  await cluster.api.expect('DELETE', `${path}/arpeggio`, undefined, [404]);
  const body = { apiVersion: 'v1', kind: 'Secret', type, metadata: { name: 'arpeggio' }, stringData };
  await cluster.api.expect('POST', path, body);
}
function queue(name: string): { kind: 'TaskQueue'; namespace: string; name: string } {
  return { kind: 'TaskQueue', namespace, name };
}

describe('a task queue', () => {
  test('is ready with a connection, and shows how deep it is', async () => {
    await putSecret({ broker: url, results: url, keyPrefix: 'p:', resultKeyPrefix: 'r:' });
    await createQueue('work', { queueName: 'celery' });
    const condition = await untilCondition(cluster.api, { ...queue('work'), reason: 'Ready' });
    expect(condition).toMatchObject({ status: 'True', observedGeneration: 1 });
    const redis = new Redis(url);
    await redis.lpush('p:celery', 'a', 'b');
    await redis.hset('p:unacked', 'arp:0b9b9b6e-0000-4000-8000-000000000000.1:celery:x', '[]');
    await redis.set('p:arp:w:0b9b9b6e-0000-4000-8000-000000000000.1', '{}');
    await until('status shows the depth', 60_000, async () => {
      const { status } = await readObject(cluster.api, 'TaskQueue', namespace, 'work');
      const { queueName, waiting, held, inFlight } = status ?? {};
      return JSON.stringify([queueName, waiting, held, inFlight]) === '["celery",2,0,1]';
    });
    redis.disconnect();
  });

  test('from which nobody takes anything says that no pool serves it, as its workflows do, until a pool does', async () => {
    await putSecret({ broker: url, results: url });
    await createQueue('lonely');
    await create('workflows', 'Workflow', { name: 'waits', spec: { task: 'x', queue: 'lonely' } });
    const condition = await untilCondition(cluster.api, {
      ...queue('lonely'),
      reason: 'NoWorkerPool',
      withinMs: 60_000,
    });
    expect(condition).toMatchObject({
      status: 'True',
      message: expect.stringMatching(/a Celery worker may/) as string,
    });
    const waits = { kind: 'Workflow', namespace, name: 'waits', type: 'Succeeded', reason: 'Running' } as const;
    await until('the workflow says what it waits for', 60_000, async () =>
      (await untilCondition(cluster.api, waits)).message.endsWith(
        'waiting for a worker: no WorkerPool serves TaskQueue lonely (a Celery worker may)',
      ),
    );
    expect(await unservedOf('waits')).toBe('lonely');
    await create('workerpools', 'WorkerPool', {
      name: 'late',
      spec: { queues: ['lonely'], image: 'none', replicas: 0 },
    });
    await untilCondition(cluster.api, { ...queue('lonely'), reason: 'Ready' });
    await until('the workflow no longer says so', 60_000, async () => (await unservedOf('waits')) === undefined);
  });

  test('writes no status while nothing changes', async () => {
    await putSecret({ broker: url, results: url });
    await createQueue('still');
    await untilCondition(cluster.api, { ...queue('still'), reason: 'Ready' });
    const read = async () => readObject(cluster.api, 'TaskQueue', namespace, 'still');
    const shown = async () => (await read()).status ?? {};
    // Two readings tell them, which need not come at once.
    await expect.poll(shown).toMatchObject({ waiting: 0, held: 0, inFlight: 0 });
    const before = (await read()).metadata.resourceVersion;
    const redis = new Redis(url);
    const readings = async (): Promise<number> => {
      const [, calls = '0'] = /cmdstat_llen:calls=(\d+)/.exec(await redis.info('commandstats')) ?? [];
      return Number(calls);
    };
    const first = await readings();
    await expect.poll(readings).toBeGreaterThan(first + 48);
    redis.disconnect();
    expect((await read()).metadata.resourceVersion).toBe(before);
  });

  test('whose Secret is missing says so, and is ready soon after it is there', async () => {
    await createQueue('missing');
    const condition = await untilCondition(cluster.api, { ...queue('missing'), reason: 'ConnectionNotFound' });
    expect(condition).toMatchObject({
      status: 'False',
      message: expect.stringContaining('no Secret arpeggio') as string,
    });
    expect((await readObject(cluster.api, 'TaskQueue', namespace, 'missing')).status).not.toHaveProperty('waiting');
    await putSecret({ broker: url, results: url });
    await untilCondition(cluster.api, { ...queue('missing'), reason: 'Ready', withinMs: 60_000 });
  });

  test.each([
    { why: 'is of another type', type: 'Opaque', data: {}, reason: 'ConnectionInvalid', says: /type Opaque/ },
    {
      why: 'lacks a key',
      data: { broker: 'redis://127.0.0.1/0' },
      reason: 'ConnectionInvalid',
      says: /results is missing/,
    },
    {
      why: 'names a host that is not allowed',
      data: { broker: 'redis://10.0.0.1/0', results: 'redis://10.0.0.1/0' },
      reason: 'HostNotAllowed',
      says: /10\.0\.0\.1/,
    },
    {
      why: 'names a port where nobody listens',
      data: { broker: 'redis://127.0.0.1:1/0', results: 'redis://127.0.0.1:1/0' },
      reason: 'BrokerUnreachable',
      says: /127\.0\.0\.1:1 refuses connections/,
    },
    {
      why: 'names a host for results that is not allowed',
      data: { broker: 'redis://localhost/0', results: 'redis://no-such.localhost/0' },
      reason: 'HostNotAllowed',
      says: /no-such\.localhost/,
    },
  ])('whose Secret $why says so, and is ready soon after it is mended', async ({ data, reason, says, type }) => {
    await putSecret({ ...(data as Record<string, string>) }, type);
    await createQueue('wrong');
    const condition = await untilCondition(cluster.api, { ...queue('wrong'), reason });
    expect(condition.message).toMatch(says);
    await putSecret({ broker: url, results: url });
    await untilCondition(cluster.api, { ...queue('wrong'), reason: 'Ready' });
  });

  test('whose password is wrong says so without telling it, and is ready soon after it is mended', async () => {
    const wrong = guarded.url.replace('open-sesame', 'open-barley');
    await putSecret({ broker: wrong, results: wrong });
    await createQueue('guarded');
    const condition = await untilCondition(cluster.api, { ...queue('guarded'), reason: 'AuthenticationFailed' });
    expect(condition.message).not.toContain('barley');
    await putSecret({ broker: guarded.url, results: guarded.url });
    await untilCondition(cluster.api, { ...queue('guarded'), reason: 'Ready' });
  });

  test('tells apart which of the two servers is away', async () => {
    await putSecret({ broker: url, results: 'redis://127.0.0.1:1/0' });
    await createQueue('half');
    await untilCondition(cluster.api, { ...queue('half'), reason: 'ResultsUnreachable' });
  });

  test('whose server is no Redis says so', async () => {
    const web: Server = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const other = `redis://127.0.0.1:${String((web.address() as AddressInfo).port)}/0`;
    await putSecret({ broker: other, results: other });
    await createQueue('web');
    await untilCondition(cluster.api, { ...queue('web'), reason: 'UnsupportedServer' });
    web.close();
  });

  test('says when its server goes away, and is ready soon after it is back', async () => {
    const own = await startRedis();
    await putSecret({ broker: own.url, results: own.url });
    await createQueue('breaks');
    await untilCondition(cluster.api, { ...queue('breaks'), reason: 'Ready' });
    await own.kill();
    await untilCondition(cluster.api, { ...queue('breaks'), reason: 'BrokerUnreachable' });
    await until('the depth is shown as unknown', 60_000, async () => {
      return (await readObject(cluster.api, 'TaskQueue', namespace, 'breaks')).status?.['waiting'] === undefined;
    });
    await own.restart();
    await untilCondition(cluster.api, { ...queue('breaks'), reason: 'Ready' });
    await own.stop();
  });

  test('of a second namespace may not use a database that is taken', async () => {
    const redis = new Redis(url);
    await redis.set('arp:claim', 'someone-else');
    await putSecret({ broker: url, results: url });
    await createQueue('second');
    const condition = await untilCondition(cluster.api, { ...queue('second'), reason: 'ConnectionTaken' });
    expect(condition.message).toMatch(/someone-else .*arp:claim/s);
    await redis.del('arp:claim');
    await untilCondition(cluster.api, { ...queue('second'), reason: 'Ready' });
    expect(await redis.get('arp:claim')).toBe(namespace);
    redis.disconnect();
  });

  test('clashes with another over a route or a name, until one gives way', async () => {
    await putSecret({ broker: url, results: url });
    await createQueue('one', { routes: ['train', 'x'] });
    await untilCondition(cluster.api, { ...queue('one'), reason: 'Ready' });
    await createQueue('two', { routes: ['train'] });
    await untilCondition(cluster.api, { ...queue('one'), reason: 'RouteConflict' });
    const condition = await untilCondition(cluster.api, { ...queue('two'), reason: 'RouteConflict' });
    expect(condition.message).toContain('TaskQueue one claims train');
    await createQueue('three', { queueName: 'one' });
    await untilCondition(cluster.api, { ...queue('three'), reason: 'QueueNameTaken' });
    await cluster.api.expect('DELETE', objectPath('TaskQueue', namespace, 'one'));
    await untilCondition(cluster.api, { ...queue('two'), reason: 'Ready' });
    await untilCondition(cluster.api, { ...queue('three'), reason: 'Ready' });
  });
});
