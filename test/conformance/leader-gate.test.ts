import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import { KubeClient } from '#io/kube/client.ts';
import { Lease } from '#io/kube/lease.ts';
import { leaseTimes, runLeaderGate } from '#operator/control/leader-gate.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { until } from '../cluster/kube-api.ts';
import { openFaultyApi, type FaultyApi } from '../support/faulty-api.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const unavailable = { status: 503, body: '{"kind":"Status","code":503,"reason":"ServiceUnavailable"}' };

let cluster: ApiCluster;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
});
afterAll(() => cluster.stop());
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

type Contender = {
  readonly isLeading: () => boolean;
  readonly api: FaultyApi;
  /** Ends as a process does on SIGTERM. */
  stop(): Promise<void>;
};

/** An operator that does nothing but lead. */
async function contend(leaseName: string, pod: string = randomUUID()): Promise<Contender> {
  const api = await openFaultyApi(cluster.kubeconfigPath);
  const client = new KubeClient(api.kubeConfig);
  const lease = new Lease({
    client,
    name: { namespace: 'default', name: leaseName },
    identity: `${pod}_${randomUUID()}`,
    durationSeconds: leaseTimes.durationSeconds,
  });
  const stopping = new AbortController();
  let isLeading = false;
  const lead = async (term: AbortSignal): Promise<void> => {
    isLeading = true;
    if (!term.aborted) await new Promise((resolve) => term.addEventListener('abort', resolve, { once: true }));
    isLeading = false;
  };
  const running = runLeaderGate({ lease, log: silent, lead }, stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
    await Promise.all([client.close(), api.stop()]);
  };
  ends.push(stop);
  return { isLeading: () => isLeading, api, stop };
}

async function untilLeading(contender: Contender, withinMs = 10_000): Promise<number> {
  const startMs = performance.now();
  await until('it leads', withinMs, () => Promise.resolve(contender.isLeading()));
  return performance.now() - startMs;
}

describe('the lease', () => {
  test('has one holder, and is handed over at once when that one stops', async () => {
    const first = await contend('clean');
    await untilLeading(first);
    const second = await contend('clean');
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // Several tries of the second.
    expect([first.isLeading(), second.isLeading()]).toEqual([true, false]);
    await first.stop();
    expect(await untilLeading(second)).toBeLessThan(1_000);
  });

  test('passes to another when its holder is cut off, and never has two', async () => {
    const first = await contend('cut-off');
    await untilLeading(first);
    const second = await contend('cut-off');
    first.api.fail(() => unavailable);
    const startMs = performance.now();
    let hadTwo = false;
    await until('the second leads', 10_000, () => {
      hadTwo ||= first.isLeading() && second.isLeading();
      return Promise.resolve(second.isLeading());
    });
    expect([hadTwo, first.isLeading()]).toEqual([false, false]);
    expect(performance.now() - startMs).toBeLessThan(6_500);
    first.api.fail(undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // Several tries of the first.
    expect([first.isLeading(), second.isLeading()]).toEqual([false, true]);
  });

  test('outlives a short failure of the API server', async () => {
    const only = await contend('short');
    await untilLeading(only);
    only.api.fail(() => unavailable);
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // At least one renewal fails.
    only.api.fail(undefined);
    await new Promise((resolve) => setTimeout(resolve, 3_000)); // Beyond the time within which it has to be renewed.
    expect(only.isLeading()).toBe(true);
  });

  test('is taken at once by a new process in the same pod, for the old one is dead', async () => {
    const first = await contend('restart', 'pod-a');
    await untilLeading(first);
    first.api.fail(() => unavailable);
    const second = await contend('restart', 'pod-a');
    expect(await untilLeading(second)).toBeLessThan(1_500);
  });
});
