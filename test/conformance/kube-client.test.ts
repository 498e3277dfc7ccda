import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyObject } from '#io/kube/apply.ts';
import { KubeClient } from '#io/kube/client.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { resources, type Resource } from '#io/kube/resource.ts';
import { patchStatus } from '#io/kube/status.ts';
import { createObject, deleteObject, readObject } from '#io/kube/verbs.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { installChart } from '../support/chart.ts';
import { openFaultyApi, type FaultyApi } from '../support/faulty-api.ts';

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
const unauthorized = { status: 401, body: '{"kind":"Status","code":401,"reason":"Unauthorized"}' };

interface WorkflowLike extends KubeObject {
  readonly status?: { readonly [name: string]: unknown };
}

let cluster: ApiCluster;
let api: FaultyApi;
let client: KubeClient;

beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
  await installChart(cluster);
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

  test.each([
    {
      why: 'the object exists',
      make: () => createObject(client, configMaps, aConfigMap('kube-root-ca.crt')),
      code: 'AlreadyExists',
      retryable: false,
    },
    {
      why: 'the object is not valid',
      make: () => createObject(client, configMaps, aConfigMap('Not Valid')),
      code: 'Invalid',
      retryable: false,
    },
    {
      why: 'the server is away',
      make: () => {
        api.cut();
        api.fail(() => ({ status: 503, body: '' }));
        return createObject(client, configMaps, aConfigMap('x'));
      },
      code: 'ServerFailed',
      retryable: true,
    },
  ] as const)('tells by a code that $why, and whether to try again', async ({ make, code, retryable }) => {
    expect(await failureOf(make())).toMatchObject({ name: 'KubeError', code, retryable });
  });

  test('applies what is stated, takes back what no longer is, and leaves the rest', async () => {
    await applyObject(client, configMaps, aConfigMap('applied', { ours: '1', old: '1' }));
    const path = '/api/v1/namespaces/default/configmaps/applied';
    await cluster.api.call('PATCH', path, { data: { theirs: '1' } }, 'application/merge-patch+json');
    const applied = await applyObject(client, configMaps, aConfigMap('applied', { ours: '2' }));
    expect(applied).toMatchObject({ data: { ours: '2', theirs: '1' } });
    expect((applied as unknown as { data: object }).data).not.toHaveProperty('old');
    const name = { namespace: 'default', name: 'applied' };
    const { uid, resourceVersion } = applied.metadata as { uid: string; resourceVersion: string };
    for (const other of [{ uid: randomUUID() }, { uid, resourceVersion: `${resourceVersion}1` }]) {
      await expect(deleteObject(client, configMaps, name, other)).rejects.toMatchObject({ code: 'Conflict' });
    }
    expect(await deleteObject(client, configMaps, name, { uid, resourceVersion })).toBe(true);
    expect(await deleteObject(client, configMaps, { namespace: 'default', name: 'applied' })).toBe(false);
  });

  test('writes a status over what it was computed from, and nothing newer', async () => {
    const workflow = {
      apiVersion: 'arpeggio.dev/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'w', namespace: 'default' },
      spec: { task: 'add' },
    };
    const created = await createObject<WorkflowLike>(client, resources.workflows, workflow);
    const first = await patchStatus<WorkflowLike>(client, resources.workflows, created, {
      state: 'Running',
      step: 'a',
    });
    expect(first.status).toEqual({ state: 'Running', step: 'a' });
    const second = await patchStatus<WorkflowLike>(client, resources.workflows, first, {
      step: null,
      result: { a: [null, { b: null }] },
    });
    expect(second.status).toEqual({ state: 'Running', result: { a: [null, { b: null }] } });
    // The second of them removes what is gone already.
    for (const late of [{ state: 'Late' }, { step: null }]) {
      const error = await failureOf(patchStatus(client, resources.workflows, first, late));
      expect(error).toMatchObject({ code: 'Conflict', retryable: true });
    }
    expect(
      await readObject<WorkflowLike>(client, resources.workflows, { namespace: 'default', name: 'w' }),
    ).toMatchObject({ status: { state: 'Running' } });
  });
});
