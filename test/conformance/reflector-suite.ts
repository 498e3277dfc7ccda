import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import type { KubeObject } from '#io/kube/object.ts';
import type { Change } from '#io/kube/object-store.ts';
import { Reflector } from '#io/kube/reflector.ts';
import { resources } from '#io/kube/resource.ts';
import { patchStatus } from '#io/kube/status.ts';
import { createObject, deleteObject } from '#io/kube/verbs.ts';
import { aWorkflow, type WorkflowLike } from './kube-objects-suite.ts';
import type { KubeWorld } from './kube-world.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const resource = resources.workflows;
/** Shorter than a minute: between bookmarks a watch here is silent. */
const inactivityMs = 2_000;

/** A copy of objects follows the API server through all that befalls it. */
export function reflectorSuite(name: string, open: () => Promise<KubeWorld>): void {
  describe(name, () => {
    let world: KubeWorld;
    let stopping: AbortController;
    let running: Promise<void>;
    let reflector: Reflector<WorkflowLike>;
    let changes: Change<WorkflowLike>[];

    beforeEach(async () => {
      world = await open();
      stopping = new AbortController();
      changes = [];
      await create('first');
      reflector = reflect();
      reflector.subscribe((change) => changes.push(change));
      running = reflector.run(stopping.signal);
      await world.settled(reflector.synced);
    });
    afterEach(async () => {
      stopping.abort(new Error('the test is over'));
      await world.settled(running);
      await world.close();
    });

    const reflect = (): Reflector<WorkflowLike> => {
      const { disturbed: client, namespace, timers } = world;
      return new Reflector({
        ...{ client, timers, inactivityMs },
        scope: { resource },
        namespaces: [namespace],
        log: silent,
      });
    };
    const create = (called: string): Promise<KubeObject> =>
      createObject(world.client, resource, aWorkflow(world.namespace, { name: called }));
    const remove = (called: string): Promise<boolean> =>
      deleteObject(world.client, resource, { namespace: world.namespace, name: called });
    const get = (called: string): WorkflowLike | undefined => reflector.get(`${world.namespace}/${called}`);
    const untilKnown = (called: string, withinMs = 10_000): Promise<void> =>
      world.until(`${called} is known`, withinMs, () => get(called) !== undefined);
    const untilGone = (called: string): Promise<void> =>
      world.until(`${called} is gone`, 10_000, () => get(called) === undefined);

    /** The connection breaks, and the next attempt fails: only one, for after several it would list anew. */
    const breakDown = async (): Promise<void> => {
      const watches = world.network.watches();
      world.network.failing(true);
      world.network.cut();
      await world.until('an attempt has failed', 10_000, () => world.network.watches() > watches);
      world.network.failing(false);
    };

    test('knows what was there before, what comes after, and what goes', async () => {
      expect(get('first')?.metadata).not.toHaveProperty('managedFields');
      await create('second');
      await untilKnown('second', 1_000);
      await remove('second');
      await untilGone('second');
      expect(reflector.size).toBe(1);
      expect(world.network.lists()).toBe(1);
    });

    test('misses nothing that happens while its connection is cut, and needs no new list', async () => {
      world.network.mute();
      await create('unseen');
      await remove('first');
      await breakDown();
      await untilKnown('unseen');
      await untilGone('first');
      expect(world.network.lists()).toBe(1);
    });

    test('goes on after the server asked to be left alone, and not before', async () => {
      world.network.throttleNextWatch(2);
      const cutAtMs = world.timers.nowMs();
      world.network.cut();
      await create('after');
      await untilKnown('after');
      expect(world.timers.nowMs() - cutAtMs).toBeGreaterThanOrEqual(2_000);
      expect(world.network.lists()).toBe(1);
    });

    test('lists anew when the past is forgotten, and notices what was deleted meanwhile', async () => {
      world.network.mute();
      await create('new');
      await remove('first');
      world.network.forgetPast();
      await breakDown();
      await world.until('it lists anew', 10_000, () => world.network.lists() > 1);
      await untilKnown('new');
      await untilGone('first');
      expect(world.network.lists()).toBe(2);
    });

    test('notices a dead network by its silence', async () => {
      await world.until('the watch is open', 5_000, () => world.network.watches() > 0);
      let heardAtMs = Infinity;
      reflector.subscribe(({ key }) => {
        if (key.endsWith('/heard')) heardAtMs = world.timers.nowMs();
      });
      await create('heard');
      await untilKnown('heard');
      world.network.mute();
      const watches = world.network.watches();
      await create('silence');
      await untilKnown('silence');
      expect(world.network.watches()).toBeGreaterThan(watches);
      expect(world.timers.nowMs() - heardAtMs).toBeGreaterThan(inactivityMs - 50);
    });

    test('tells a deletion and a new object apart although they bear one name', async () => {
      world.network.failing(true);
      world.network.cut();
      const before = get('first')?.metadata.uid;
      await remove('first');
      await create('first');
      changes.length = 0;
      world.network.forgetPast();
      world.network.failing(false);
      await world.until('the new one is known', 10_000, () => get('first')?.metadata.uid !== before);
      expect(changes.map(({ previous, object }) => [previous !== undefined, object !== undefined])).toEqual([
        [true, false],
        [false, true],
      ]);
    });

    test('reads long lists page by page', async () => {
      const names = Array.from({ length: 502 }, (_, i) => `many-${String(i)}`);
      for (let i = 0; i < names.length; i += 50) {
        await Promise.all(names.slice(i, i + 50).map((each) => create(each)));
      }
      await world.until('all are known', 20_000, () => reflector.size === 503);
      const before = world.network.lists();
      const second = reflect();
      const end = new AbortController();
      const following = second.run(end.signal);
      await world.settled(second.synced);
      expect([second.size, world.network.lists() - before]).toEqual([503, 2]);
      end.abort(new Error('enough'));
      await world.settled(following);
    });

    test('asks the server itself where a copy that lags is not enough', async () => {
      world.network.mute();
      await remove('first');
      await create('fresh');
      const afresh = await world.settled(reflector.listAfresh());
      expect(afresh.map(({ metadata }) => metadata.name)).toEqual(['fresh']);
    });

    test('never lets an older report replace what we wrote ourselves', async () => {
      const known = get('first')!;
      const written = await patchStatus<WorkflowLike>(world.client, resource, known, { state: 'Running' });
      reflector.adopt(written);
      expect(get('first')?.status).toEqual({ state: 'Running' });
      reflector.adopt(known);
      expect(get('first')?.status).toEqual({ state: 'Running' });
      await remove('first');
      await untilGone('first');
      reflector.adopt(written);
      expect(get('first')).toBeUndefined();
    });
  });
}
