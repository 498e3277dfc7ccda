import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisRunStore } from '#io/runs/redis/redis-run-store.ts';
import { afterlifeSeconds, RunKeys } from '#io/runs/run-keys.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { openMemoryRunStore, openRedisRunStore, redisClient } from '../support/run-stores.ts';
import { begun, newUid, outbox, push, request, shard, succeeded } from '../support/run-requests.ts';
import { runStoreLossSuite } from './run-store-loss-suite.ts';
import { runStoreMapsSuite } from './run-store-maps-suite.ts';
import { runStoreSuite } from './run-store-suite.ts';

let redis: RunningRedis;
const clients: Redis[] = [];

function client(db = 0): Redis {
  const opened = redisClient(redis.url, db);
  clients.push(opened);
  return opened;
}

beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
});

afterAll(async () => {
  for (const each of clients) each.disconnect();
  await redis.stop();
});

describe.each([
  { where: 'in memory', open: () => openMemoryRunStore() },
  { where: 'in Redis', open: () => openRedisRunStore(client(), '', client()) },
  { where: 'in Redis under a prefix', open: () => openRedisRunStore(client(), 'team-', client()) },
])('the run store $where', ({ open }) => {
  runStoreSuite(() => Promise.resolve(open()));
  runStoreMapsSuite(() => Promise.resolve(open()));
  runStoreLossSuite(() => Promise.resolve(open()));
});

describe('what the run store leaves in Redis', () => {
  test('stands under the keys that live runs have', async () => {
    const own = client();
    const store = new RedisRunStore({ client: own, prefix: 'keys-' });
    const { run, fence } = await begun(store);
    const ledger = [{ queue: 'gpu', held: 2 }];
    const records = [succeeded(1, '1.0')];
    const unfolds = [{ step: 3, base: 7, count: 2, width: 3 }];
    await store.advance(run, request(fence, 0, { records, publishes: [outbox(2, 'e')], ledger, unfolds }));
    await store.advance(run, request(fence, 1, { records: [succeeded(11, '[2]')] }));
    const { uid, run48 } = run;
    expect(await own.hgetall(`keys-arp:r:${uid}:h`)).toEqual({
      uid,
      run48,
      rev: '2',
      round: '0',
      roundsAt: '',
      retried: '0',
      planVersion: '1',
      digest: 'd1',
      cancelled: '',
      maps: '1',
      'm:3': '7 2 3',
      'q:gpu': '2',
      begunAtMs: expect.stringMatching(/^\d{13}$/) as string,
    });
    const [waiting, published, ended] = ['0000000000000000', '02000000003d0900', '10000000003d0900'];
    expect((await own.getBuffer(`keys-arp:r:${uid}:s`))!.toString('hex')).toBe(
      waiting + ended + published + waiting.repeat(8) + ended + waiting,
    );
    expect(await own.hgetall(`keys-arp:r:${uid}:o`)).toEqual({ '1:0': '1.0', '5:1': '[2]' });
    expect(await own.lrange(`keys-arp:r:${uid}:x`, 0, -1)).toEqual(['e']);
    expect(await own.hget('keys-arp:runs:171', run48)).toBe(uid);
    expect(await own.hget('keys-arp:q:171:gpu', uid)).toBe('2');
    expect(await own.get('keys-arp:fence:171')).toBe(String(fence));
    await store.advance(run, request(fence, 2, { ledger: [{ queue: 'gpu', held: 0 }] }));
    expect(await own.exists('keys-arp:q:171:gpu')).toBe(0);
  });

  test('has no end while the run lives and seven days after it', async () => {
    const own = client();
    const store = new RedisRunStore({ client: own, prefix: '' });
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { records: [succeeded(1, '1')] }));
    const keys = new RunKeys('');
    const names = [keys.head(run.uid), keys.slots(run.uid), keys.kept(run.uid)];
    expect(await Promise.all(names.map((name) => own.ttl(name)))).toEqual([-1, -1, -1]);
    await store.end(run);
    for (const name of names) {
      const left = await own.ttl(name);
      expect(left).toBeGreaterThan(afterlifeSeconds - 60);
      expect(left).toBeLessThanOrEqual(7 * 24 * 3600);
    }
  });

  test('has no end any more when a run that had ended begins a new round', async () => {
    const own = client();
    const store = new RedisRunStore({ client: own, prefix: '' });
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { records: [succeeded(1, '1')], publishes: [outbox(2, 'e')] }));
    await store.end(run);
    const { slots } = (await store.read(run))!;
    await store.advance(run, request(fence, 1, { newRound: { slots, atTicks: 5, retried: 1 } }));
    const keys = new RunKeys('');
    const names = [keys.head(run.uid), keys.slots(run.uid), keys.kept(run.uid), keys.outbox(run.uid)];
    expect(await Promise.all(names.map((name) => own.ttl(name)))).toEqual([-1, -1, -1, -1]);
  });

  test('rings the doorbell with the message, once a list, and keeps it short', async () => {
    const own = client();
    const store = new RedisRunStore({ client: own, prefix: '' });
    const { run, fence } = await begun(store);
    const list = `bell-${run.run48}`;
    await store.advance(run, request(fence, 0, { publishes: [push(0, 'a', list), push(1, 'b', list)] }));
    expect(await own.llen(`arp:bell:${list}`)).toBe(1);
    const calls = Array.from({ length: 100 }, (_, i) =>
      store.advance(run, request(fence, i + 1, { publishes: [push(i + 2, 'm', list)] })),
    );
    await Promise.all(calls);
    expect(await own.llen(`arp:bell:${list}`)).toBe(64);
  });

  test('reaches lists of other databases of the server and stays in its own', async () => {
    const home = client(3);
    const store = new RedisRunStore({ client: home, prefix: '' });
    const { run, fence } = await begun(store);
    const at = (db: number, step: number) => {
      const given = push(step, `m${step}`, `far-${run.run48}`);
      return { ...given, dispatch: { ...given.dispatch, db } };
    };
    const publishes = [at(5, 0), at(3, 1), at(5, 2), at(0, 3)];
    expect(
      await store.advance(
        run,
        request(fence, 0, { publishes, records: [succeeded(9, '9')], ledger: [{ queue: 'q', held: 1 }] }),
      ),
    ).toEqual({ ok: true, rev: 1 });
    const lists = [client(5), home, client(0)].map((each) => each.lrange(`far-${run.run48}`, 0, -1));
    expect(await Promise.all(lists)).toEqual([['m2', 'm0'], ['m1'], ['m3']]);
    expect(await client(5).llen(`arp:bell:far-${run.run48}`)).toBeGreaterThan(0);
    expect((await store.read(run))!.head.rev).toBe(1);
    expect((await store.read(run))!.kept.get(9)).toBe('9');
    expect(await home.hget(`arp:q:${shard}:q`, run.uid)).toBe('1');
    expect(await client(5).keys('arp:r:*')).toEqual([]);
  });

  test.each([
    { why: 'the list is something else', db: 0, blocked: 'list' },
    { why: 'the doorbell is something else', db: 0, blocked: 'bell' },
    { why: 'there is no such database', db: 99, blocked: 'none' },
  ])('is what it was when a message cannot be pushed: $why', async ({ db, blocked }) => {
    const own = client();
    const store = new RedisRunStore({ client: own, prefix: '' });
    const { run, fence } = await begun(store);
    const list = `odd-${run.run48}-${blocked}`;
    if (blocked === 'list') await own.set(list, 'a user’s string');
    if (blocked === 'bell') await own.set(`arp:bell:${list}`, 'a user’s string');
    const before = await store.read(run);
    const good = push(0, 'good', `good-${list}`);
    const bad = push(1, 'bad', list);
    const publishes = [good, { ...bad, dispatch: { ...bad.dispatch, db } }];
    const call = store.advance(run, request(fence, 0, { records: [succeeded(2, '1')], publishes }));
    await expect(call).rejects.toMatchObject({ name: 'RunStoreUnavailable' });
    expect(await store.read(run)).toEqual(before);
    expect(await own.exists(`good-${list}`)).toBe(0);
  });

  test('is still there after a restart of a server that writes it down, and the scripts load themselves again', async () => {
    const own = client();
    const store = new RedisRunStore({ client: own, prefix: '' });
    const { run, fence } = await begun(store);
    const list = `restart-${run.run48}`;
    const publishes = [push(0, 'a', list)];
    await store.advance(run, request(fence, 0, { publishes, records: [succeeded(1, '1.0')] }));
    const before = await store.read(run);
    await redis.kill();
    await expect(store.read(run)).rejects.toMatchObject({ name: 'RunStoreUnavailable' });
    await expect(store.end(run)).rejects.toMatchObject({ name: 'RunStoreUnavailable' });
    await expect(store.clearOutbox(run, ['e'])).rejects.toMatchObject({ name: 'RunStoreUnavailable' });
    await redis.restart();
    const again = new RedisRunStore({ client: client(), prefix: '' });
    expect(await again.read(run)).toEqual(before);
    expect(await again.advance(run, request(fence, 1, { publishes: [push(2, 'b', list)] }))).toEqual({
      ok: true,
      rev: 2,
    });
    expect(await client().lrange(list, 0, -1)).toEqual(['b', 'a']);
    expect(await store.takeShard(shard)).toBe(fence + 1);
  });

  test('a server that forgot the scripts gets them again, in the order of the calls', async () => {
    const own = client();
    const store = new RedisRunStore({ client: own, prefix: '' });
    const { run, fence } = await begun(store, newUid());
    await own.script('FLUSH');
    const calls = [0, 1, 2].map((rev) => store.advance(run, request(fence, rev, { records: [succeeded(rev, '1')] })));
    expect(await Promise.all(calls)).toEqual([1, 2, 3].map((rev) => ({ ok: true, rev })));
  });
});
