import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import { KubeClient } from '#io/kube/client.ts';
import type { KubeObject } from '#io/kube/object.ts';
import type { Change } from '#io/kube/object-store.ts';
import { Reflector } from '#io/kube/reflector.ts';
import type { Resource } from '#io/kube/resource.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { until } from '../cluster/kube-api.ts';
import { openFaultyApi, type FaultyAnswer, type FaultyApi } from '../support/faulty-api.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let cluster: ApiCluster;
let api: FaultyApi;
let client: KubeClient;
let namespace = '';
let count = 0;
let reflector: Reflector<ConfigMap>;
let changes: Change<ConfigMap>[];

beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
});
afterAll(() => cluster.stop());

beforeEach(async () => {
  count += 1;
  namespace = `reflect-${String(count)}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.api.expect('POST', '/api/v1/namespaces', body);
  await until('the namespace has its own ConfigMap', 10_000, async () => {
    return (await cluster.api.call('GET', `${path()}/kube-root-ca.crt`)).status === 200;
  });
  api = await openFaultyApi(cluster.kubeconfigPath);
  client = new KubeClient(api.kubeConfig);
  const stop = new AbortController();
  await create('first');
  reflector = new Reflector({
    client,
    scope: { resource: configMaps },
    namespaces: [namespace],
    log: silent,
    inactivityMs: 2_000,
  });
  changes = [];
  reflector.subscribe((change) => changes.push(change));
  const running = reflector.run(stop.signal);
  await reflector.synced;
  return async () => {
    stop.abort();
    await running;
    await client.close();
    await api.stop();
  };
});

function path(): string {
  return `/api/v1/namespaces/${namespace}/configmaps`;
}
async function create(name: string, data: Record<string, string> = {}): Promise<void> {
  await cluster.api.expect('POST', path(), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}
async function remove(name: string): Promise<void> {
  await cluster.api.expect('DELETE', `${path()}/${name}`);
}
function get(name: string): ConfigMap | undefined {
  return reflector.get(`${namespace}/${name}`);
}
async function untilKnown(name: string): Promise<void> {
  await until(`${name} is known`, 10_000, () => Promise.resolve(get(name) !== undefined));
}
function statusAnswer(code: number, reason: string, headers: Record<string, string> = {}): FaultyAnswer {
  return { status: code, headers, body: JSON.stringify({ kind: 'Status', code, reason, message: reason }) };
}
function lists(): number {
  return api.asked.filter((url) => url.includes('limit=500')).length;
}

describe('a reflector', () => {
  test('knows what was there before and what comes after, within milliseconds', async () => {
    expect(get('first')?.metadata).not.toHaveProperty('managedFields');
    const startMs = performance.now();
    await create('second', { a: '1' });
    await until('second is known', 2_000, () => Promise.resolve(get('second') !== undefined));
    expect(performance.now() - startMs).toBeLessThan(1_000);
    expect(get('second')?.data).toEqual({ a: '1' });
    await remove('second');
    await until('second is gone', 2_000, () => Promise.resolve(get('second') === undefined));
  });

  test('misses nothing that happens while its connection is cut, and needs no new list', async () => {
    api.forget();
    api.fail(() => statusAnswer(500, 'InternalError'));
    api.cut();
    await create('unseen');
    await remove('first');
    api.fail(undefined);
    await untilKnown('unseen');
    expect(get('first')).toBeUndefined();
    expect(lists()).toBe(0);
  });

  test('goes on after the server asked to be left alone, and not before', async () => {
    const asked: number[] = [];
    api.fail((url) => {
      if (!url.includes('watch=true')) return undefined;
      asked.push(performance.now());
      return asked.length === 1 ? statusAnswer(429, 'TooManyRequests', { 'retry-after': '2' }) : undefined;
    });
    api.cut();
    await create('after');
    await untilKnown('after');
    expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(2_000);
  });

  test.each([
    { why: 'as an answer', answer: statusAnswer(410, 'Expired') },
    {
      why: 'within a watch',
      answer: { status: 200, body: '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n' },
    },
    { why: 'or a line cannot be read', answer: { status: 200, body: '{"type":"ADDED","object":{"metadata":{"na\n' } },
  ])('lists anew when the past is forgotten, $why', async ({ answer }) => {
    api.forget();
    let isFirst = true;
    api.fail((url) => {
      if (!isFirst || !url.includes('watch=true')) return undefined;
      isFirst = false;
      return answer;
    });
    api.cut();
    await create('new');
    await remove('first');
    await untilKnown('new');
    await until('first is gone', 5_000, () => Promise.resolve(get('first') === undefined));
    expect(lists()).toBe(1);
  });

  test('notices a dead network by its silence', async () => {
    await until('the watch is open', 5_000, () => Promise.resolve(api.asked.some((url) => url.includes('watch=true'))));
    api.mute();
    const startMs = performance.now();
    await create('silence');
    await untilKnown('silence');
    expect(performance.now() - startMs).toBeGreaterThan(1_000);
  });

  test('tells a deletion and a new object apart although they bear one name', async () => {
    api.fail(() => statusAnswer(500, 'InternalError'));
    api.cut();
    const before = get('first');
    await remove('first');
    await create('first');
    changes.length = 0;
    api.fail((url) => (url.includes('watch=true') && lists() === 0 ? statusAnswer(410, 'Expired') : undefined));
    api.forget();
    await until('the new one is known', 10_000, () =>
      Promise.resolve(get('first')?.metadata.uid !== before?.metadata.uid),
    );
    expect(changes.map(({ previous, object }) => [previous !== undefined, object !== undefined])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  test('reads long lists page by page', async () => {
    const names = Array.from({ length: 1_020 }, (_, i) => `many-${String(i)}`);
    for (let i = 0; i < names.length; i += 102) await Promise.all(names.slice(i, i + 102).map((name) => create(name)));
    await until('all are known', 20_000, () => Promise.resolve(reflector.size >= 1_020));
    const second = new Reflector<ConfigMap>({
      client,
      scope: { resource: configMaps },
      namespaces: [namespace],
      log: silent,
    });
    const stop = new AbortController();
    api.forget();
    const running = second.run(stop.signal);
    await second.synced;
    expect([second.size, lists()]).toEqual([reflector.size, 3]);
    stop.abort();
    await running;
  });

  test('never lets an older report replace what we wrote ourselves', async () => {
    const known = get('first')!;
    const answer = await cluster.api.call(
      'PATCH',
      `${path()}/first`,
      { data: { mine: '1' } },
      'application/merge-patch+json',
    );
    reflector.adopt(answer.body as ConfigMap);
    expect(get('first')?.data).toEqual({ mine: '1' });
    reflector.adopt(known);
    expect(get('first')?.data).toEqual({ mine: '1' });
    await remove('first');
    await until('first is gone', 5_000, () => Promise.resolve(get('first') === undefined));
    reflector.adopt(answer.body as ConfigMap);
    expect(get('first')).toBeUndefined();
  });
});
