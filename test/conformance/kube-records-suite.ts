import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import { applyObject } from '#io/kube/apply.ts';
import { EventRecorder, type EventNote } from '#io/kube/event-recorder.ts';
import { Lease } from '#io/kube/lease.ts';
import { listObjects } from '#io/kube/list.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { objectPath, resources, type Resource } from '#io/kube/resource.ts';
import { deleteObject, readObject } from '#io/kube/verbs.ts';
import type { KubeWorld } from './kube-world.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };

interface LeaseLike extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
}
interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
interface EventLike extends KubeObject {
  readonly note?: string;
  readonly reason?: string;
}

/** What the operator relies on when it leads, tells, and applies what it wants. */
export function kubeRecordsSuite(name: string, open: () => Promise<KubeWorld>): void {
  describe(name, () => {
    let world: KubeWorld;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.close());

    const leaseName = () => ({ namespace: world.namespace, name: 'leader' });
    const lease = (identity: string): Lease =>
      new Lease({ client: world.client, name: leaseName(), identity, durationSeconds: 4 });
    const held = (): Promise<LeaseLike | undefined> =>
      readObject<LeaseLike>(world.client, resources.leases, leaseName());

    test('gives a Lease to one of many who ask at once', async () => {
      const all = Array.from({ length: 5 }, (_, i) => lease(`pod-${i}_x`));
      const won = await Promise.all(all.map((each) => each.tryAcquire()));
      expect(won.filter(Boolean)).toHaveLength(1);
      const winner = `pod-${won.indexOf(true)}_x`;
      expect((await held())?.spec).toMatchObject({ holderIdentity: winner, leaseTransitions: 0 });
      expect((await held())?.metadata).not.toHaveProperty('generation');
    });

    test('lets the holder renew its Lease until it gives it up, and counts who had it', async () => {
      const [first, second] = [lease('a_1'), lease('b_1')];
      expect([await first.tryAcquire(), await second.tryAcquire()]).toEqual([true, false]);
      expect([await first.renew(), await first.renew()]).toEqual([true, true]);
      await first.release();
      expect([await second.tryAcquire(), await first.renew()]).toEqual([true, false]);
      expect((await held())?.spec).toMatchObject({ holderIdentity: 'b_1', leaseTransitions: 1 });
    });

    test('leaves the Lease with its holder when someone merely labels it', async () => {
      const holder = lease('a_1');
      await holder.tryAcquire();
      const path = objectPath(resources.leases, leaseName());
      const body = '{"metadata":{"labels":{"a":"b"}}}';
      await world.client.call({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
      expect(await holder.renew()).toBe(true);
      expect((await held())?.metadata.labels).toEqual({ a: 'b' });
    });

    test('takes the Lease from its holder when it is deleted, and never brings that one back', async () => {
      const [holder, other] = [lease('a_1'), lease('b_1')];
      await holder.tryAcquire();
      await deleteObject(world.client, resources.leases, leaseName());
      expect([await holder.renew(), await held()]).toEqual([false, undefined]);
      expect([await other.tryAcquire(), await holder.renew()]).toEqual([true, false]);
      expect((await held())?.spec?.holderIdentity).toBe('b_1');
    });

    const record = async (notes: readonly Partial<EventNote>[]): Promise<readonly EventLike[]> => {
      const recorder = new EventRecorder({ client: world.client, instance: 'operator-0', log: silent });
      const metadata = { name: 'w', namespace: world.namespace, uid: 'u', resourceVersion: '1' };
      for (const note of notes) {
        recorder.recordEvent({
          ...{ resource: resources.workflows, regarding: { metadata } },
          ...{ type: 'Warning', reason: 'Failed', action: 'Run', message: 'it failed' },
          ...note,
        });
      }
      await world.settled(recorder.settled());
      return (await listObjects<EventLike>(world.client, { resource: resources.events, namespace: world.namespace }))
        .objects;
    };

    test('applies what is stated, takes back what no longer is, and leaves the rest', async () => {
      const name = { namespace: world.namespace, name: 'applied' };
      const apply = (data: object, labels?: object): Promise<ConfigMap> =>
        applyObject<ConfigMap>(world.client, configMaps, {
          metadata: { ...name, ...(labels && { labels }) },
          ...{ data },
        } as KubeObject);
      const path = objectPath(configMaps, name);
      const contentType = 'application/merge-patch+json';
      const first = await apply({ ours: '1', old: '1' }, { a: 'b' });
      await world.client.call({ method: 'PATCH', path, contentType, body: '{"data":{"theirs":"1"}}' });
      const second = await apply({ ours: '2' });
      expect(second.data).toEqual({ ours: '2', theirs: '1' });
      expect(second.metadata).not.toHaveProperty('labels');
      expect([second.metadata.uid, (await apply({ ours: '2' })).metadata.resourceVersion]).toEqual([
        first.metadata.uid,
        second.metadata.resourceVersion,
      ]);
      await deleteObject(world.client, configMaps, name);
      expect((await apply({ ours: '3' })).data).toEqual({ ours: '3' });
    });

    test('takes the events that we write', async () => {
      const [event] = await record([{}]);
      expect(event).toMatchObject({
        ...{ note: 'it failed', reason: 'Failed', action: 'Run', type: 'Warning' },
        regarding: { kind: 'Workflow', name: 'w', namespace: world.namespace, uid: 'u' },
        reportingController: 'arpeggio.dev/operator',
      });
    });

    test.each([
      { script: 'Latin', text: 'é'.repeat(2_000) },
      { script: 'Han', text: '工'.repeat(2_000) },
      { script: 'emoji', text: `a${'🎻'.repeat(1_000)}` },
    ])('takes an event whose text is too long, shortened: $script', async ({ text }) => {
      const [event] = await record([{ message: text }]);
      expect(event?.note?.length).toBeGreaterThan(200);
      expect(text.startsWith(event?.note ?? '-')).toBe(true);
    });

    test('writes what repeats once', async () => {
      const events = await record([{}, {}, { reason: 'DataLost' }, {}]);
      expect(events.map(({ reason }) => reason).toSorted()).toEqual(['DataLost', 'Failed']);
    });
  });
}
