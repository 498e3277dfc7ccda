import { describe, expect, test } from 'vitest';
import type { KubeClient, KubeRequest } from '#io/kube/client.ts';
import { errorOfAnswer } from '#io/kube/kube-error.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { resources } from '#io/kube/resource.ts';
import { patchStatus } from '#io/kube/status.ts';
import { createObject, deleteObject, readObject } from '#io/kube/verbs.ts';
import { FakeApiServer } from './servers/fake-api-server.ts';

interface WorkflowLike extends KubeObject {
  readonly status?: { readonly [name: string]: unknown };
}

/** The same questions as `test/conformance/kube-client.test.ts` asks a real API server. */
function aServer(): { readonly api: FakeApiServer; readonly client: KubeClient } {
  let uids = 0;
  const api = new FakeApiServer({ nowText: () => '2026-01-01T00:00:00Z', newUid: () => `uid-${(uids += 1)}` });
  const call = (request: KubeRequest): Promise<string> => {
    const { status, body, retryAfter } = api.handle(request);
    if (status < 300) return Promise.resolve(body);
    return Promise.reject(errorOfAnswer(request.path, status, body, retryAfter));
  };
  return { api, client: { call } as unknown as KubeClient };
}

const name = { namespace: 'default', name: 'w' };
const workflow = { apiVersion: 'arpeggio.dev/v1alpha1', kind: 'Workflow', metadata: name, spec: { task: 'add' } };
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(() => undefined).catch((error: unknown) => error);

describe('the simulated API server', () => {
  test('writes a status over what it was computed from, and nothing newer', async () => {
    const { client } = aServer();
    const created = await createObject<WorkflowLike>(client, resources.workflows, workflow);
    const first = await patchStatus<WorkflowLike>(client, resources.workflows, created, {
      state: 'Running',
      step: 'a',
    });
    expect(first.status).toEqual({ state: 'Running', step: 'a' });
    const change = { step: null, result: { a: [null, { b: null }] } };
    const second = await patchStatus<WorkflowLike>(client, resources.workflows, first, change);
    expect(second.status).toEqual({ state: 'Running', result: { a: [null, { b: null }] } });
    const error = await failureOf(patchStatus(client, resources.workflows, first, { state: 'Late' }));
    expect(error).toMatchObject({ code: 'Conflict', retryable: true });
    expect(await readObject<WorkflowLike>(client, resources.workflows, name)).toMatchObject({
      status: { state: 'Running' },
    });
  });

  test('refuses a namesake and a name that is none, and says whether there was something to delete', async () => {
    const { client } = aServer();
    await createObject(client, resources.workflows, workflow);
    const again = await failureOf(createObject(client, resources.workflows, workflow));
    expect(again).toMatchObject({ code: 'AlreadyExists', retryable: false });
    const bad = { ...workflow, metadata: { namespace: 'default', name: 'Not Valid' } };
    expect(await failureOf(createObject(client, resources.workflows, bad))).toMatchObject({ code: 'Invalid' });
    expect(await deleteObject(client, resources.workflows, name)).toBe(true);
    expect(await deleteObject(client, resources.workflows, name)).toBe(false);
    expect(await readObject(client, resources.workflows, name)).toBeUndefined();
  });

  test('tells a watch what happened since a version, and one from a forgotten past that it is forgotten', async () => {
    const { api, client } = aServer();
    const path = '/apis/arpeggio.dev/v1alpha1/workflows';
    const list = JSON.parse(await client.call({ method: 'GET', path })) as { metadata: { resourceVersion: string } };
    await createObject(client, resources.workflows, workflow);
    const lines: string[] = [];
    const stop = api.watch(path, list.metadata.resourceVersion, (line) => lines.push(line));
    await deleteObject(client, resources.workflows, name);
    stop();
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(['ADDED', 'DELETED']);
    api.compact();
    const late: string[] = [];
    api.watch(path, list.metadata.resourceVersion, (line) => late.push(line));
    expect(JSON.parse(late[0] ?? '')).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });
});
