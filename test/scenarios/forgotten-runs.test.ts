import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import { resources } from '#io/kube/resource.ts';
import { patchStatus } from '#io/kube/status.ts';
import { createObject } from '#io/kube/verbs.ts';
import { ForgottenRuns } from '#operator/controllers/forgotten-runs.ts';
import { openReflectors, type Reflectors } from '#operator/observed/reflectors.ts';
import { aWorkflow } from '../conformance/kube-objects-suite.ts';
import type { KubeWorld } from '../conformance/kube-world.ts';
import { openSimulatedKube } from '../conformance/simulated-kube-world.ts';
import { RunWorld } from './run-world.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const spec = { task: 'add', args: [1] };

describe('a run that has ended', () => {
  let kube: KubeWorld;
  let reflectors: Reflectors;
  const stopping = new AbortController();

  beforeEach(async () => {
    kube = await openSimulatedKube();
    const { disturbed: client, namespace, timers } = kube;
    const config = { watchNamespaces: [namespace] };
    const opened = openReflectors(client, { config, log: silent, signal: stopping.signal, timers });
    ({ reflectors } = opened);
    await kube.settled(opened.synced);
  });
  afterEach(async () => {
    stopping.abort(new Error('the test is over'));
    await kube.close();
  });

  async function endedWorkflow(): Promise<string> {
    const { client, namespace } = kube;
    const created = await createObject(client, resources.workflows, aWorkflow(namespace, { name: 'ended' }));
    const status = { finishedAt: '2026-01-01T00:00:00Z' };
    await patchStatus(client, resources.workflows, created, status);
    const [key, { uid = '' }] = [`${namespace}/ended`, created.metadata];
    await kube.until('its end is known', 5_000, () => {
      const { finishedAt } = reflectors.workflows.get(key)?.status ?? {};
      return finishedAt !== undefined;
    });
    return uid;
  }

  test('leaves the registry again within five minutes when a former leader wakes and begins it once more', async () => {
    const world = new RunWorld();
    const uid = await endedWorkflow();
    const former = await world.engine();
    const leader = await world.engine();
    const forgotten = new ForgottenRuns({ reflectors, log: silent });
    forgotten.watch({ namespace: kube.namespace, name: 'arpeggio' }, leader);
    const driver = await world.begin(leader, spec, uid);
    await world.workAll();
    await leader.end(driver);
    await world.beginUnreleased(former, spec, uid);
    expect((await leader.registered()).map((run) => run.uid)).toEqual([uid]);
    await world.clock.turn(305_000);
    await kube.until('the registry is asked for', 10_000, () => world.store.snapshot().registry.size === 0);
    expect(await leader.registered()).toEqual([]);
  });
});
