import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KubeClient } from '#io/kube/client.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import type { KubeObject } from '#io/kube/object.ts';
import type { Resource } from '#io/kube/resource.ts';
import { createObject, readObject } from '#io/kube/verbs.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { openFaultyApi, type FaultyApi } from '../support/faulty-api.ts';

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
const unauthorized = { status: 401, body: '{"kind":"Status","code":401,"reason":"Unauthorized"}' };

let cluster: ApiCluster;
let api: FaultyApi;
let client: KubeClient;

beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  api = await openFaultyApi(cluster.kubeconfigPath);
  client = new KubeClient(api.kubeConfig);
});
afterEach(async () => {
  await client.close();
  await api.stop();
});

function aConfigMap(name: string, data: Record<string, string> = {}): KubeObject & { data: Record<string, string> } {
  return { metadata: { name, namespace: 'default' }, data };
}
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('the client', () => {
  test('makes many calls over few connections', async () => {
    const name = { namespace: 'default', name: 'kube-root-ca.crt' };
    await Promise.all(Array.from({ length: 300 }, () => readObject(client, configMaps, name)));
    expect(api.connections()).toBeLessThanOrEqual(32);
  });

  test('looks again at who it is when it is refused, once', async () => {
    let refusals = 1;
    api.fail(() => (refusals-- > 0 ? unauthorized : undefined));
    expect(await readObject(client, configMaps, { namespace: 'default', name: 'none' })).toBeUndefined();
    api.fail(() => unauthorized);
    api.forget();
    const error = await failureOf(readObject(client, configMaps, { namespace: 'default', name: 'none' }));
    expect([isKubeError(error, 'Unauthorized'), api.asked.length]).toEqual([true, 2]);
  });

  test('tells by a code that the server is away, and that it may be tried again', async () => {
    api.cut();
    api.fail(() => ({ status: 503, body: '' }));
    const error = await failureOf(createObject(client, configMaps, aConfigMap('x')));
    expect(error).toMatchObject({ name: 'KubeError', code: 'ServerFailed', retryable: true });
  });
});
