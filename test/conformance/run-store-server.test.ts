import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { MemoryRunStore } from '#io/runs/memory/memory-run-store.ts';
import { RedisRunStore } from '#io/runs/redis/redis-run-store.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { startLocalRedis } from '../support/redis-process.ts';
import type { RedisOptions, RunningRedis } from '../support/redis.ts';
import { begun, request, shard, succeeded } from '../support/run-requests.ts';
import { redisClient } from '../support/run-stores.ts';
import { openTcpSwitch } from '../support/tcp-switch.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startServer(options: RedisOptions = {}): Promise<RunningRedis> {
  const server = await startLocalRedis(options);
  closing.push(() => server.stop());
  return server;
}

function openClient(url: string): Redis {
  const client = redisClient(url);
  closing.push(() => client.disconnect());
  return client;
}

/** A store that is watched, once its server has been seen; it looks so seldom that only new connections count. */
async function watched(url: string, lookEveryMs = 3_600_000) {
  const client = openClient(url);
  const store = new RedisRunStore({ client, prefix: '', lookEveryMs });
  const onChanged = vi.fn();
  closing.push(store.watchServer(onChanged));
  await client.ping();
  const { run, fence } = await begun(store);
  await store.advance(run, request(fence, 0, { records: [succeeded(0, '"first"')] }));
  return { client, store, onChanged, run, fence };
}

/** Resolves when the other copies the server, at once and not after the seconds that servers wait for more replicas. */
async function copied(from: RunningRedis, to: Redis): Promise<void> {
  const own = openClient(from.url);
  await own.config('SET', 'repl-diskless-sync-delay', '0');
  await to.replicaof('127.0.0.1', from.port);
  await expect.poll(() => own.wait(1, 5_000), { timeout: 60_000 }).toBe(1);
}

/** Commands of one connection are answered in order: by the second answer, what was asked before has had its effect. */
async function untilAnswered(client: Redis): Promise<void> {
  await client.ping();
  await client.ping();
}

const soon = { timeout: 60_000 };

describe('who watches the server of a run store is told', () => {
  test('when it comes back with nothing', async () => {
    const server = await startServer();
    const { store, onChanged, run, fence } = await watched(server.url);
    const known = (await store.read(run))!;
    await server.restart();
    await vi.waitFor(() => expect(onChanged).toHaveBeenCalledTimes(1), soon);
    expect(await store.revisions([run])).toEqual([undefined]);
    expect(await store.restore(run, { ...known, fence })).toEqual({ ok: true, rev: 1 });
    expect(await store.read(run)).toEqual(known);
  });

  test('when it comes back with all it had', async () => {
    const server = await startServer({ appendOnly: true });
    const { store, onChanged, run } = await watched(server.url);
    const known = await store.read(run);
    await server.restart();
    await vi.waitFor(() => expect(onChanged).toHaveBeenCalledTimes(1), soon);
    expect(await store.read(run)).toEqual(known);
    await server.restart();
    await vi.waitFor(() => expect(onChanged).toHaveBeenCalledTimes(2), soon);
  });

  test('when a replica that lags behind takes its place', async () => {
    const [primary, replica] = [await startServer(), await startServer()];
    const address = await openTcpSwitch(primary.port);
    closing.push(() => address.close());
    const { store, onChanged, run, fence } = await watched(`redis://127.0.0.1:${address.port}/0`);
    const own = openClient(replica.url);
    await copied(primary, own);
    await own.replicaof('NO', 'ONE');
    await store.advance(run, request(fence, 1, { records: [succeeded(1, '"second"')] }));
    const known = (await store.read(run))!;
    expect(onChanged).not.toHaveBeenCalled();
    address.pointAt(replica.port);
    await vi.waitFor(() => expect(onChanged).toHaveBeenCalledTimes(1), soon);
    expect(await store.revisions([run])).toEqual([1]);
    expect(await store.restore(run, { ...known, fence })).toEqual({ ok: true, rev: 2 });
    expect(await store.read(run)).toEqual(known);
  });

  test('when it was made to copy another under a connection that stays', async () => {
    const [server, other] = [await startServer(), await startServer()];
    const { client, store, onChanged, run } = await watched(server.url, 20);
    const broken = vi.fn();
    client.on('close', broken);
    await copied(other, client);
    await client.replicaof('NO', 'ONE');
    await vi.waitFor(() => expect(onChanged).toHaveBeenCalled(), soon);
    expect(await store.revisions([run])).toEqual([undefined]);
    expect(broken).not.toHaveBeenCalled();
  });

  test('when it was not there as the watch began: it may have been another', async () => {
    const server = await startServer();
    await server.kill();
    const client = openClient(server.url);
    const onChanged = vi.fn();
    const failed = once(client, 'error');
    closing.push(new RedisRunStore({ client, prefix: '' }).watchServer(onChanged));
    await failed;
    await server.restart();
    await vi.waitFor(() => expect(onChanged).toHaveBeenCalledTimes(1), soon);
  });
});

describe('who watches the server of a run store is told nothing', () => {
  test('when only the connection broke', async () => {
    const server = await startServer();
    const { client, onChanged } = await watched(server.url, 10);
    for (let i = 0; i < 3; i += 1) {
      const gone = new Promise((resolve) => client.once('close', resolve));
      await openClient(server.url).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await gone;
      if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve));
      await untilAnswered(client);
    }
    expect(onChanged).not.toHaveBeenCalled();
  });

  test('after it has stopped', async () => {
    const server = await startServer();
    const { client, store } = await watched(server.url);
    const [first, second] = [vi.fn(), vi.fn()];
    const stop = store.watchServer(first);
    closing.push(store.watchServer(second));
    await client.ping();
    stop();
    await server.restart();
    await vi.waitFor(() => expect(second).toHaveBeenCalledTimes(1), soon);
    expect(first).not.toHaveBeenCalled();
  });
});

test('who stops watching a server while it is being looked at is told nothing', async () => {
  const server = await startServer();
  await server.kill();
  const client = openClient(server.url);
  const onChanged = vi.fn();
  const failed = once(client, 'error');
  const stop = new RedisRunStore({ client, prefix: '' }).watchServer(onChanged);
  await failed;
  const stopped = new Promise<void>((resolve) => {
    client.once('ready', () => {
      stop();
      resolve();
    });
  });
  await server.restart();
  await stopped;
  await untilAnswered(client);
  expect(onChanged).not.toHaveBeenCalled();
});

test('a store in memory tells what it is made to tell, and holds again what it held', async () => {
  const store = new MemoryRunStore({ push: () => undefined, nowMs: () => 0 });
  const onChanged = vi.fn();
  const stop = store.watchServer(onChanged);
  const { run, fence } = await begun(store);
  await store.advance(run, request(fence, 0, { ledger: [{ queue: 'q', held: 2 }] }));
  const then = store.snapshot();
  await store.advance(run, request(fence, 1, { ledger: [{ queue: 'q', held: 3 }] }));
  expect(store.held(run.uid, run.run48, 'q')).toBe(3);
  store.revert(then);
  expect(onChanged).not.toHaveBeenCalled();
  store.tellChanged();
  expect(onChanged).toHaveBeenCalledTimes(1);
  expect([await store.revisions([run]), store.held(run.uid, run.run48, 'q')]).toEqual([[1], 2]);
  store.revert();
  expect([await store.revisions([run]), await store.takeShard(0xab)]).toEqual([[undefined], 1]);
  stop();
  store.tellChanged();
  expect(onChanged).toHaveBeenCalledTimes(1);
});

test.each([
  { given: 'read', take: (store: MemoryRunStore, run: RunKey) => store.read(run) },
  { given: 'held by a snapshot', take: (store: MemoryRunStore, run: RunKey) => store.snapshot().runs.get(run.uid) },
  {
    given: 'found by another operator',
    take: async (store: MemoryRunStore, { uid }: RunKey) => {
      const answer = await store.begin({ uid, planVersion: 1, digest: 'd1', fence: await store.takeShard(shard) });
      return 'stored' in answer ? answer.stored : undefined;
    },
  },
  {
    given: 'told with a refusal',
    take: async (store: MemoryRunStore, run: RunKey) => {
      const answer = await store.advance(run, request(1, 0));
      return 'stored' in answer ? answer.stored : undefined;
    },
  },
])('of a run in memory, what was $given stays as it was', async ({ take }) => {
  const store = new MemoryRunStore({ push: () => undefined, nowMs: () => 0 });
  const { run } = await begun(store);
  const write = async (fence: number, rev: number, at: number) =>
    store.advance(run, request(fence, rev, { records: [succeeded(at, '1')] }));
  await write(1, 0, 9);
  await write(1, 1, 8);
  const taken = await take(store, run);
  const then = structuredClone(taken);
  const fence = await store.takeShard(shard);
  await write(fence, 2, 7);
  await write(fence, 3, 6);
  expect(taken).toEqual(then);
  expect((await store.read(run))?.kept.size).toBe(4);
});
