import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubeRequest } from '#io/kube/client.ts';
import { listObjects } from '#io/kube/list.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { collectionPath, objectPath, resources } from '#io/kube/resource.ts';
import { patchStatus } from '#io/kube/status.ts';
import { createObject, deleteObject, parseObject, readObject } from '#io/kube/verbs.ts';
import type { KubeWorld } from './kube-world.ts';

export interface WorkflowLike extends KubeObject {
  readonly spec?: unknown;
  readonly status?: { readonly [name: string]: unknown };
}

const resource = resources.workflows;

export function aWorkflow(namespace: string, metadata: object, spec: object = { task: 'add' }): KubeObject {
  const given = { name: '', ...metadata, namespace };
  if (given.name === '') Reflect.deleteProperty(given, 'name');
  return { apiVersion: 'arpeggio.dev/v1alpha1', kind: 'Workflow', metadata: given, spec } as KubeObject;
}

/** What the call failed with; undefined when it did not. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** What the operator relies on when it reads and writes objects. */
export function kubeObjectsSuite(name: string, open: () => Promise<KubeWorld>): void {
  describe(name, () => {
    let world: KubeWorld;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.close());

    const create = (metadata: object, spec?: object): Promise<WorkflowLike> =>
      createObject<WorkflowLike>(world.client, resource, aWorkflow(world.namespace, metadata, spec));
    const read = (called: string): Promise<WorkflowLike | undefined> =>
      readObject<WorkflowLike>(world.client, resource, { namespace: world.namespace, name: called });
    const edit = async (called: string, patch: object, more: Partial<KubeRequest> = {}): Promise<WorkflowLike> => {
      const path = objectPath(resource, { namespace: world.namespace, name: called });
      const body = JSON.stringify(patch);
      const contentType = 'application/merge-patch+json';
      return parseObject(resource, await world.client.call({ method: 'PATCH', path, body, contentType, ...more }));
    };

    test('creates an object, and says what it made of it', async () => {
      const status = { state: 'Running' };
      const given = { ...aWorkflow(world.namespace, { name: 'w', labels: { team: 'a' } }), status };
      const created = await createObject<WorkflowLike>(world.client, resource, given);
      expect(created.metadata).toMatchObject({ name: 'w', namespace: world.namespace, generation: 1 });
      expect(created.metadata.uid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
      expect(created).not.toHaveProperty('status');
      expect(await read('w')).toEqual(created);
      expect(await read('none')).toBeUndefined();
    });

    test('completes a name that is only begun', async () => {
      const made = [await create({ generateName: 'gen-' }), await create({ generateName: 'gen-' })];
      const names = made.map(({ metadata }) => metadata.name);
      for (const each of names) expect(each).toMatch(/^gen-[a-z0-9]{5}$/);
      expect(new Set(names).size).toBe(2);
    });

    test.each([
      { why: 'it exists', metadata: { name: 'w' }, code: 'AlreadyExists', retryable: false },
      { why: 'its name is none', metadata: { name: 'Not Valid' }, code: 'Invalid', retryable: false },
      { why: 'it has no name', metadata: {}, code: 'Invalid', retryable: false },
      { why: 'it has a version already', metadata: { name: 'v', resourceVersion: '5' }, code: 'ServerFailed' },
    ])('refuses to create an object when $why', async ({ metadata, why: _why, ...failure }) => {
      await create({ name: 'w' });
      expect(await failureOf(create(metadata))).toMatchObject(failure);
    });

    test('refuses an object of another namespace than the one asked for', async () => {
      const path = collectionPath(resource, world.namespace);
      const body = JSON.stringify(aWorkflow('elsewhere', { name: 'w' }));
      expect(await failureOf(world.client.call({ method: 'POST', path, body }))).toMatchObject({ code: 'Invalid' });
    });

    test('raises the version with every change and the generation with every wish', async () => {
      const created = await create({ name: 'w' });
      const marked = await edit('w', { metadata: { labels: { a: 'b' } } });
      const stopped = await edit('w', { spec: { suspend: true } });
      const shown = await patchStatus<WorkflowLike>(world.client, resource, stopped, { state: 'Running' });
      const versions = [created, marked, stopped, shown].map(({ metadata }) => BigInt(metadata.resourceVersion ?? ''));
      expect(versions.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(versions);
      expect(new Set(versions).size).toBe(4);
      expect([created, marked, stopped, shown].map(({ metadata }) => metadata.generation)).toEqual([1, 1, 2, 2]);
      expect(shown).toMatchObject({ metadata: { labels: { a: 'b' } }, spec: { task: 'add', suspend: true } });
    });

    test('takes a change that changes nothing for none', async () => {
      const { metadata } = await create({ name: 'w', labels: { a: 'b' } });
      const again = await edit('w', { metadata: { labels: { a: 'b' }, generation: 9 }, spec: { task: 'add' } });
      expect(again.metadata).toEqual(metadata);
    });

    test('keeps status and the rest apart', async () => {
      await create({ name: 'w' });
      expect(await edit('w', { status: { state: 'Odd' } })).not.toHaveProperty('status');
      const path = objectPath(resource, { namespace: world.namespace, name: 'w' }, 'status');
      const change = { metadata: { labels: { a: 'b' } }, spec: { suspend: true }, status: { state: 'Running' } };
      const shown = await edit('w', change, { path });
      expect(shown).toMatchObject({ spec: { task: 'add' }, status: { state: 'Running' } });
      expect(shown.spec).not.toHaveProperty('suspend');
      expect(shown.metadata).not.toHaveProperty('labels');
    });

    test('writes a status over what it was computed from, and nothing newer', async () => {
      const created = await create({ name: 'w' });
      const write = (over: WorkflowLike, patch: object): Promise<WorkflowLike> =>
        patchStatus<WorkflowLike>(world.client, resource, over, patch);
      const first = await write(created, { state: 'Running', step: 'a' });
      expect(first.status).toEqual({ state: 'Running', step: 'a' });
      const second = await write(first, { step: null, result: { a: [null, { b: null }] } });
      expect(second.status).toEqual({ state: 'Running', result: { a: [null, { b: null }] } });
      // The second of them removes what is gone already; the third would change nothing.
      for (const late of [{ state: 'Late' }, { step: null }, { state: 'Running' }]) {
        expect(await failureOf(write(first, late))).toMatchObject({ code: 'Conflict', retryable: true });
      }
      expect((await read('w'))?.status).toEqual(second.status);
      const gone = { ...second, metadata: { ...second.metadata, name: 'gone' } };
      expect(await failureOf(write(gone, { state: 'Late' }))).toMatchObject({ code: 'NotFound', retryable: false });
    });

    test.each([
      { op: 'remove', path: '/status/step' },
      { op: 'add', path: '/status/step/x', value: 'b' },
      { op: 'test', path: '/status/state', value: 'Failed' },
      { op: 'replace', path: '/metadata/uid', value: 'ffffffff-0000-4000-8000-000000000000' },
    ])('refuses a whole patch of which one part does not fit: $op $path', async (part) => {
      const first = await patchStatus(world.client, resource, await create({ name: 'w' }), { state: 'Running' });
      const isUid = part.path === '/metadata/uid';
      const path = objectPath(resource, { namespace: world.namespace, name: 'w' }, isUid ? undefined : 'status');
      const patch = [{ op: 'add', path: '/metadata/annotations', value: { a: 'b' } }, part];
      const call = edit('w', patch, { path, contentType: 'application/json-patch+json' });
      expect(await failureOf(call)).toMatchObject({ code: 'Invalid', retryable: false });
      expect(await read('w')).toEqual(first);
    });

    test('puts a member in the place of one that is not there', async () => {
      const first = await patchStatus(world.client, resource, await create({ name: 'w' }), { state: 'Running' });
      const path = objectPath(resource, { namespace: world.namespace, name: first.metadata.name }, 'status');
      const patch = [{ op: 'replace', path: '/status/step', value: 'b' }];
      const shown = await edit('w', patch, { path, contentType: 'application/json-patch+json' });
      expect(shown.status).toEqual({ state: 'Running', step: 'b' });
    });

    test('deletes the object that is meant, and says whether there was one', async () => {
      const { metadata } = await create({ name: 'w' });
      const { uid = '', resourceVersion = '' } = metadata;
      const remove = (meant?: { uid: string; resourceVersion?: string }): Promise<boolean> =>
        deleteObject(world.client, resource, { namespace: world.namespace, name: 'w' }, meant);
      for (const other of [{ uid: randomUUID() }, { uid, resourceVersion: `${resourceVersion}1` }]) {
        expect(await failureOf(remove(other))).toMatchObject({ code: 'Conflict' });
      }
      expect(await remove({ uid, resourceVersion })).toBe(true);
      expect([await remove(), await remove({ uid })]).toEqual([false, false]);
      expect((await create({ name: 'w' })).metadata.uid).not.toBe(uid);
    });

    test.each([
      { what: 'a task is renamed', patch: { task: 'sub' }, code: 'Forbidden' },
      { what: 'arguments come', patch: { args: [1] }, code: 'Forbidden' },
      { what: 'the cancel is taken back', patch: { cancel: null }, code: 'Invalid' },
      { what: 'the number of retries falls', patch: { retryFailed: 1 }, code: 'Invalid' },
      { what: 'it is suspended', patch: { suspend: true }, code: undefined },
      { what: 'it gets a deadline', patch: { deadline: '1h' }, code: undefined },
      { what: 'a raised number of retries takes the cancel back', patch: { cancel: null, retryFailed: 3 } },
    ])('lets a Workflow be as it was written when $what', async ({ patch, code }) => {
      await create({ name: 'w' }, { task: 'add', cancel: true, retryFailed: 2 });
      const failure = await failureOf(edit('w', { spec: patch }));
      if (code === undefined) expect(failure).toBeUndefined();
      else expect(failure).toMatchObject({ code, retryable: false });
    });

    test('refuses what is too large for good, so that nobody tries again', async () => {
      const created = await create({ name: 'w' }, { task: 'add', args: ['x'.repeat(1_300_000)] });
      const tooLarge = { code: 'Invalid', retryable: false };
      const status = patchStatus(world.client, resource, created, { result: 'x'.repeat(400_000) });
      expect(await failureOf(status)).toMatchObject(tooLarge);
      for (const length of [1_700_000, 2_500_000, 3_200_000]) {
        const call = create({ name: 'v' }, { task: 'add', args: ['x'.repeat(length)] });
        expect(await failureOf(call)).toMatchObject(tooLarge);
      }
      expect(await read('v')).toBeUndefined();
    });

    test('lists by namespace and by labels, in the order of names', async () => {
      for (const [called, team] of [
        ['b', 'one'],
        ['c', 'two'],
        ['a', 'one'],
      ] as const) {
        await create({ name: called, labels: { team } });
      }
      const listed = async (labelSelector?: string): Promise<readonly string[]> => {
        const scope = { resource, namespace: world.namespace };
        const list = await listObjects(world.client, { ...scope, ...(labelSelector && { labelSelector }) });
        return list.objects.map(({ metadata }) => metadata.name);
      };
      expect(await listed()).toEqual(['a', 'b', 'c']);
      expect(await listed('team=one')).toEqual(['a', 'b']);
      expect(await listed('team!=one')).toEqual(['c']);
      expect(await listed('team')).toEqual(['a', 'b', 'c']);
      expect(await listed('team=one,!team')).toEqual([]);
      const all = await listObjects(world.client, { resource });
      expect(all.objects.length).toBeGreaterThanOrEqual(3);
    });

    test('gives all pages of a list as of the moment of the first', async () => {
      for (const called of ['a', 'b', 'c']) await create({ name: called });
      const page = async (query: KubeRequest['query']) => {
        const path = collectionPath(resource, world.namespace);
        const text = await world.client.call({ method: 'GET', path, query: { limit: 2, ...query } });
        return JSON.parse(text) as { metadata: Record<string, string>; items: readonly KubeObject[] };
      };
      const first = await page({});
      await create({ name: 'd' });
      await deleteObject(world.client, resource, { namespace: world.namespace, name: 'c' });
      const second = await page({ continue: first.metadata['continue'] });
      expect([first, second].map(({ items }) => items.map(({ metadata }) => metadata.name))).toEqual([
        ['a', 'b'],
        ['c'],
      ]);
      expect(second.metadata['resourceVersion']).toBe(first.metadata['resourceVersion']);
      expect(second.metadata['continue'] ?? '').toBe('');
    });
  });
}
