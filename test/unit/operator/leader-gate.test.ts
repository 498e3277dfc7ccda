import { describe, expect, test } from 'vitest';
import type { Log } from '#core/base/log.ts';
import type { KubeClient, KubeRequest } from '#io/kube/client.ts';
import { KubeError } from '#io/kube/kube-error.ts';
import { Lease } from '#io/kube/lease.ts';
import { leaseTimes, runLeaderGate } from '#operator/control/leader-gate.ts';
import { HandClock, settle } from '../../support/hand-clock.ts';

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const name = { namespace: 'team', name: 'leader' };

/** An API server that holds one Lease, and answers a write when it likes to. */
class SlowServer {
  held: { readonly metadata: object } | undefined;
  answersAfterMs = 0;
  hangs = false;
  readonly #clock: HandClock;
  #version = 0;

  constructor(clock: HandClock) {
    this.#clock = clock;
  }

  call({ method, body = '{}' }: KubeRequest): Promise<string> {
    if (this.hangs) return new Promise(() => undefined);
    if (method === 'GET') {
      return this.held === undefined
        ? Promise.reject(new KubeError('NotFound', 'there is none'))
        : Promise.resolve(JSON.stringify(this.held));
    }
    const { metadata, ...rest } = JSON.parse(body) as { metadata: object };
    this.held = { ...rest, metadata: { ...metadata, resourceVersion: String((this.#version += 1)) } };
    const text = JSON.stringify(this.held);
    if (this.answersAfterMs === 0) return Promise.resolve(text);
    return new Promise((resolve) => this.#clock.after(this.answersAfterMs, () => resolve(text)));
  }
}

function contend() {
  const clock = new HandClock();
  const timers = { nowMs: () => clock.nowMs(), after: clock.after.bind(clock), chance: () => 0.5 };
  const server = new SlowServer(clock);
  const client = server as unknown as KubeClient;
  const { durationSeconds } = leaseTimes;
  const lease = new Lease({ client, name, identity: 'pod_1', durationSeconds, timers });
  const stopping = new AbortController();
  const begunAtMs = clock.nowMs();
  const terms: { fromMs: number; toMs?: number }[] = [];
  const lead = async (term: AbortSignal): Promise<void> => {
    const leading: { fromMs: number; toMs?: number } = { fromMs: clock.nowMs() - begunAtMs };
    terms.push(leading);
    await new Promise((resolve) => term.addEventListener('abort', resolve, { once: true }));
    leading.toMs = clock.nowMs() - begunAtMs;
  };
  const start = (): Promise<void> => {
    void runLeaderGate({ lease, log: silent, lead, timers }, stopping.signal);
    return settle();
  };
  return { clock, server, terms, start };
}

describe('the leader gate', () => {
  test('leads on for as long as it renews', async () => {
    const { clock, terms, start } = contend();
    await start();
    await clock.turn(60_000);
    expect(terms).toEqual([{ fromMs: 0 }]);
  });

  test('ends its term in time although a renewal hangs for ever', async () => {
    const { clock, server, terms, start } = contend();
    await start();
    await clock.turn(10_500);
    server.hangs = true;
    await clock.turn(60_000);
    // The last renewal was asked for at 10 s.
    expect(terms).toEqual([{ fromMs: 0, toMs: 10_000 + leaseTimes.renewWithinMs }]);
    expect(leaseTimes.renewWithinMs).toBeLessThan(leaseTimes.durationSeconds * 1_000);
  });

  test('does not lead by a Lease that it won before it fell asleep, but asks again', async () => {
    const { clock, server, terms, start } = contend();
    server.answersAfterMs = leaseTimes.renewWithinMs + 500;
    await start();
    server.answersAfterMs = 0;
    await clock.turn(10_000);
    expect(terms).toEqual([{ fromMs: leaseTimes.renewWithinMs + 500 + leaseTimes.retryEveryMs }]);
  });

  test('counts from when it asked for the Lease, for others may have seen it taken by then', async () => {
    const { clock, server, terms, start } = contend();
    server.answersAfterMs = 2_000;
    await start();
    await clock.turn(2_500);
    server.hangs = true;
    await clock.turn(60_000);
    expect(terms).toEqual([{ fromMs: 2_000, toMs: leaseTimes.renewWithinMs }]);
  });
});
