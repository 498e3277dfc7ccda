import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import { KubeClient, type KubeRequest } from '#io/kube/client.ts';
import { Lease } from '#io/kube/lease.ts';
import { leaseTimes, runLeaderGate } from '#operator/control/leader-gate.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { openFaultyApi, type FaultyApi } from '../support/faulty-api.ts';
import { HandClock, settle } from '../support/hand-clock.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const unavailable = { status: 503, body: '{"kind":"Status","code":503,"reason":"ServiceUnavailable"}' };
const { durationSeconds, renewEveryMs, renewWithinMs, retryEveryMs } = leaseTimes;
/** A contender looks so often at the latest. */
const lookMs = retryEveryMs * 1.2;

let cluster: ApiCluster;
let time: ApiTime;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  cluster = await startApiCluster({ nodes: [] });
});
afterAll(() => cluster.stop());
beforeEach(() => {
  time = new ApiTime();
});
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** Time that stands while a real API server is asked: how quick it is on this machine decides nothing. */
class ApiTime {
  readonly #clock = new HandClock();
  readonly #calls = new Set<Promise<string>>();
  readonly timers = {
    nowMs: () => this.#clock.nowMs(),
    after: this.#clock.after.bind(this.#clock),
    chance: () => Math.random(),
  };

  through(client: KubeClient): KubeClient {
    const call = (request: KubeRequest): Promise<string> => {
      const answer = client.call(request);
      this.#calls.add(answer);
      return answer.finally(() => this.#calls.delete(answer));
    };
    return { call } as unknown as KubeClient;
  }

  /** Resolves when nobody asks the server anything any more. */
  async settled(): Promise<void> {
    await settle();
    while (this.#calls.size > 0) {
      await Promise.allSettled(this.#calls);
      await settle();
    }
  }

  /** Lets so much time pass, in steps that are short beside every time of a Lease. */
  async pass(ms: number, looking: () => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      await this.#clock.turn(10);
      await this.settled();
      looking();
    }
  }
}

type Contender = {
  readonly isLeading: () => boolean;
  readonly api: FaultyApi;
  /** Ends as a process does on SIGTERM. */
  stop(): Promise<void>;
};

/** An operator that does nothing but lead; resolves when it has looked for the first time. */
async function contend(leaseName: string, pod: string = randomUUID()): Promise<Contender> {
  const api = await openFaultyApi(cluster.kubeconfigPath);
  const client = new KubeClient(api.kubeConfig);
  const { timers } = time;
  const lease = new Lease({
    client: time.through(client),
    name: { namespace: 'default', name: leaseName },
    identity: `${pod}_${randomUUID()}`,
    durationSeconds,
    timers,
  });
  const stopping = new AbortController();
  let isLeading = false;
  const lead = async (term: AbortSignal): Promise<void> => {
    isLeading = true;
    if (!term.aborted) await new Promise((resolve) => term.addEventListener('abort', resolve, { once: true }));
    isLeading = false;
  };
  const running = runLeaderGate({ lease, log: silent, lead, timers }, stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
    await Promise.all([client.close(), api.stop()]);
  };
  ends.push(stop);
  await time.settled();
  return { isLeading: () => isLeading, api, stop };
}

const leading = (...contenders: readonly Contender[]): readonly boolean[] => contenders.map((each) => each.isLeading());

describe('the lease', () => {
  test('has one holder, and is handed over at once when that one stops', async () => {
    const [first, second] = [await contend('clean'), await contend('clean')];
    await time.pass(10_000);
    expect(leading(first, second)).toEqual([true, false]);
    await first.stop();
    await time.pass(lookMs);
    expect(leading(first, second)).toEqual([false, true]);
  });

  test('passes to another when its holder is cut off, and never has two', async () => {
    const [first, second] = [await contend('cut-off'), await contend('cut-off')];
    first.api.fail(() => unavailable);
    const seen = new Set<string>();
    const look = (): void => void seen.add(leading(first, second).join());
    await time.pass(renewWithinMs - renewEveryMs, look);
    expect(leading(first, second)).toEqual([true, false]);
    await time.pass(renewEveryMs + 100, look);
    expect(leading(first, second)).toEqual([false, false]);
    await time.pass(durationSeconds * 1_000 - renewWithinMs + lookMs, look);
    expect(leading(first, second)).toEqual([false, true]);
    expect([...seen]).not.toContain('true,true');
    first.api.fail(undefined);
    await time.pass(10_000);
    expect(leading(first, second)).toEqual([false, true]);
  });

  test('outlives a short failure of the API server', async () => {
    const only = await contend('short');
    let terms = 1;
    only.api.fail(() => unavailable);
    await time.pass(renewEveryMs * 1.5);
    expect(only.api.asked.length).toBeGreaterThan(2);
    only.api.fail(undefined);
    await time.pass(10_000, () => (terms += Number(!only.isLeading())));
    expect([only.isLeading(), terms]).toEqual([true, 1]);
  });

  test('is taken at once by a new process in the same pod, for the old one is dead', async () => {
    const first = await contend('restart', 'pod-a');
    first.api.fail(() => unavailable);
    const second = await contend('restart', 'pod-a');
    expect(second.isLeading()).toBe(true);
  });
});
