import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isKubeError } from '#io/kube/kube-error.ts';
import { listObjects } from '#io/kube/list.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { objectPath, resources } from '#io/kube/resource.ts';
import { patchStatus } from '#io/kube/status.ts';
import { createObject, deleteObject } from '#io/kube/verbs.ts';
import { watchObjects, type WatchEvent } from '#io/kube/watch.ts';
import { aWorkflow } from './kube-objects-suite.ts';
import type { KubeWorld } from './kube-world.ts';

const resource = resources.workflows;

interface Seen {
  readonly events: WatchEvent<KubeObject>[];
  /** What ended it, once it has ended; undefined when the server did. */
  readonly end: { error: unknown } | undefined;
  stop(): void;
}

/** What the operator relies on when it watches. */
export function kubeWatchSuite(name: string, open: () => Promise<KubeWorld>): void {
  describe(name, () => {
    let world: KubeWorld;
    let begun: Seen[] = [];
    beforeEach(async () => {
      world = await open();
    });
    afterEach(async () => {
      for (const each of begun) each.stop();
      begun = [];
      await world.close();
    });

    const create = (called: string, metadata: object = {}): Promise<KubeObject> =>
      createObject(world.client, resource, aWorkflow(world.namespace, { name: called, ...metadata }));
    const remove = (called: string): Promise<boolean> =>
      deleteObject(world.client, resource, { namespace: world.namespace, name: called });
    const versionNow = async (): Promise<string> =>
      (await listObjects(world.client, { resource, namespace: world.namespace })).resourceVersion;
    const label = (called: string, labels: object): Promise<string> =>
      world.client.call({
        method: 'PATCH',
        path: objectPath(resource, { namespace: world.namespace, name: called }),
        contentType: 'application/merge-patch+json',
        body: JSON.stringify({ metadata: { labels } }),
      });
    const told = ({ events }: Seen): readonly string[] =>
      events.map((event) => (event.type === 'Bookmark' ? event.type : `${event.type} ${event.object.metadata.name}`));

    const watch = (resourceVersion: string, more: { labelSelector?: string; timeoutSeconds?: number } = {}): Seen => {
      const { labelSelector, timeoutSeconds = 200 } = more;
      const scope = { resource, namespace: world.namespace, ...(labelSelector === undefined ? {} : { labelSelector }) };
      const stopping = new AbortController();
      const seen: { events: WatchEvent<KubeObject>[]; end: Seen['end']; stop(): void } = {
        events: [],
        end: undefined,
        stop: () => stopping.abort(),
      };
      const follow = async (): Promise<void> => {
        const options = { resourceVersion, timeoutSeconds, signal: stopping.signal };
        for await (const event of watchObjects(world.disturbed, scope, options)) seen.events.push(event);
      };
      follow().then(
        () => (seen.end = { error: undefined }),
        (error: unknown) => (seen.end = { error }),
      );
      begun.push(seen);
      return seen;
    };

    test('tells what happened since a version and then what happens, each once and in its order', async () => {
      const version = await versionNow();
      const first = await create('a');
      const seen = watch(version);
      await world.until('the past is told', 5_000, () => seen.events.length === 1);
      await patchStatus(world.client, resource, first, { state: 'Running' });
      await label('a', { x: 'y' });
      await label('a', { x: 'y' }); // Changes nothing, so nothing is told.
      await remove('a');
      await create('a');
      await world.until('all is told', 5_000, () => seen.events.length >= 5);
      expect(told(seen)).toEqual(['Reported a', 'Reported a', 'Reported a', 'Deleted a', 'Reported a']);
      const versions = seen.events.map((event) => BigInt(versionOf(event)));
      expect(versions.every((each, i) => i === 0 || each > versions[i - 1]!)).toBe(true);
    });

    test('goes on where another one ended, without what that one told', async () => {
      const version = await versionNow();
      await create('a');
      await create('b');
      const seen = watch(version);
      await world.until('both are told', 5_000, () => seen.events.length === 2);
      seen.stop();
      await remove('a');
      const next = watch(versionOf(seen.events[0]!));
      await world.until('the rest is told', 5_000, () => next.events.length >= 2);
      expect(told(next)).toEqual(['Reported b', 'Deleted a']);
      // A deletion has a version of its own: a watch from there does not tell of it again.
      const last = watch(versionOf(next.events[1]!));
      await create('c');
      await world.until('the last is told', 5_000, () => last.events.length >= 1);
      expect(told(last)).toEqual(['Reported c']);
    });

    test('tells of what begins and ends to bear the labels that it asks for', async () => {
      const version = await versionNow();
      const seen = watch(version, { labelSelector: 'team=one' });
      await create('a', { labels: { team: 'one' } });
      await create('b', { labels: { team: 'two' } });
      await label('b', { team: 'one' });
      await label('a', { team: 'two' });
      await label('a', { other: 'x' });
      await remove('a');
      await remove('b');
      await world.until('all is told', 5_000, () => seen.events.length >= 4);
      expect(told(seen)).toEqual(['Reported a', 'Reported b', 'Deleted a', 'Deleted b']);
    });

    test('knows nothing of other namespaces', async () => {
      const version = await versionNow();
      const seen = watch(version);
      const other = await open();
      await createObject(other.client, resource, aWorkflow(other.namespace, { name: 'there' }));
      await create('here');
      await world.until('one is told', 5_000, () => seen.events.length >= 1);
      expect(told(seen)).toEqual(['Reported here']);
      await other.close();
    });

    test('ends by itself when its time is over, without an error', async () => {
      const seen = watch(await versionNow(), { timeoutSeconds: 1 });
      await world.until('it ended', 10_000, () => seen.end !== undefined);
      expect(seen.end).toEqual({ error: undefined });
    });

    test('says that the past is forgotten, and that this heals by a list', async () => {
      const version = await versionNow();
      await create('a');
      world.network.forgetPast();
      const seen = watch(version);
      await world.until('it ended', 10_000, () => seen.end !== undefined);
      expect(isKubeError(seen.end?.error, 'Expired')).toBe(true);
      expect(seen.events).toEqual([]);
      const anew = watch(await versionNow());
      await create('b');
      await world.until('it goes on', 10_000, () => anew.events.length >= 1);
      expect(told(anew)).toEqual(['Reported b']);
    });

    test('fails when it is cut, and may be opened again', async () => {
      const seen = watch(await versionNow());
      await create('a');
      await world.until('the watch is open', 10_000, () => seen.events.length === 1);
      world.network.cut();
      await world.until('it broke', 10_000, () => seen.end !== undefined);
      expect(isKubeError(seen.end?.error, 'Unreachable')).toBe(true);
      const next = watch(versionOf(seen.events[0]!));
      await remove('a');
      await world.until('it goes on', 10_000, () => next.events.length >= 1);
      expect(told(next)).toEqual(['Deleted a']);
    });

    test('bears a bookmark every minute, from which the next can begin', async () => {
      const seen = watch(await versionNow());
      await create('a');
      await world.until('a bookmark came', 120_000, () => told(seen).includes('Bookmark'));
      expect(told(seen)).toEqual(['Reported a', 'Bookmark']);
      const next = watch(versionOf(seen.events[1]!));
      await remove('a');
      await world.until('it goes on', 10_000, () => next.events.length >= 1);
      expect(told(next)).toEqual(['Deleted a']);
    });
  });
}

function versionOf(event: WatchEvent<KubeObject>): string {
  return event.type === 'Bookmark' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? '');
}
