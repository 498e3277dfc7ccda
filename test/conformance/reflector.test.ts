import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import { KubeClient } from '#io/kube/client.ts';
import type { KubeObject } from '#io/kube/object.ts';
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

beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
});
afterAll(() => cluster.stop());

beforeEach(async () => {
  count += 1;
  namespace = `reflect-${String(count)}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.api.expect('POST', '/api/v1/namespaces', body);
  await until('the namespace has its own ConfigMap', 60_000, async () => {
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
  await until(`${name} is known`, 60_000, () => Promise.resolve(get(name) !== undefined));
}
function statusAnswer(code: number, reason: string, headers: Record<string, string> = {}): FaultyAnswer {
  return { status: code, headers, body: JSON.stringify({ kind: 'Status', code, reason, message: reason }) };
}
function lists(): number {
  return api.asked.filter((url) => url.includes('limit=500')).length;
}

/** What only a network does; the rest is in the suite that a simulated API server passes, too. */
describe('a reflector', () => {
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
    await until('first is gone', 60_000, () => Promise.resolve(get('first') === undefined));
    expect(lists()).toBe(1);
  });
});
