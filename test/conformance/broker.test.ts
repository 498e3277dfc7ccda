import type { Redis } from 'ioredis';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Consumer } from '#io/brokers/broker.ts';
import { MemoryBroker } from '#io/brokers/memory/memory-broker.ts';
import { MemoryConsumer } from '#io/brokers/memory/memory-consumer.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { openRedisConsumer, type ResultsPlace } from '#io/brokers/redis/redis-consumer.ts';
import { RedisLease } from '#io/brokers/redis/redis-lease.ts';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { systemClock } from '#io/system-clock.ts';
import { Settler } from '#worker/runtime/settler.ts';
import { redisOfFile } from '../support/redis-of-file.ts';
import { brokerSuite, type BrokerUnderTest } from './broker-suite.ts';

const redis = redisOfFile();
const other = redisOfFile();
const client = (db = 0): Redis => redis.client({ db });
const consumers: Consumer[] = [];
afterAll(() => {
  for (const each of consumers) each.close();
});

function onRedis(prefix: string, resultsDb: number, place: 'same server' | 'elsewhere'): Promise<BrokerUnderTest> {
  const own = client();
  const resultsClient = client(resultsDb);
  const results = new RedisResultStore({ client: resultsClient, openSubscriber: () => client(resultsDb), prefix });
  const at: ResultsPlace =
    place === 'elsewhere' ? { store: results } : { db: resultsDb, prefix, expiresSeconds: 86_400 };
  return Promise.resolve({
    broker: new RedisBroker({ client: own, prefix }),
    results,
    consume: async (podUid, queues) => {
      const options = { client: own, openBlocking: () => client(), db: 0, prefix, queues, podUid, results: at };
      const consumer = await openRedisConsumer(options);
      consumers.push(consumer);
      return consumer;
    },
  });
}

brokerSuite('the broker in memory', () => {
  const [broker, results] = [new MemoryBroker(), new MemoryResultStore()];
  return Promise.resolve({
    broker,
    results,
    consume: (podUid, queues) => Promise.resolve(new MemoryConsumer({ broker, results, queues, podUid })),
  });
});

brokerSuite('the broker in Redis, results in another database', () => onRedis('', 1, 'same server'));
brokerSuite('the broker in Redis, results elsewhere', () => onRedis('', 2, 'elsewhere'));
brokerSuite('the broker in Redis under a prefix', () => onRedis('team:', 0, 'same server'));

describe("kombu's books", () => {
  async function worker(queue: string) {
    const own = client();
    const results = { db: 1, prefix: '', expiresSeconds: 60 };
    const podUid = `books-${queue}`;
    const options = { client: own, openBlocking: () => client(), db: 0, prefix: '', queues: [queue], podUid, results };
    const consumer = await openRedisConsumer(options);
    consumers.push(consumer);
    return { own, consumer };
  }

  /** By the server's clock. */
  async function nowMs(own: Redis): Promise<number> {
    const [seconds, microseconds] = await own.time();
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  }

  test('hold a claimed message as kombu reads it back', async () => {
    const { own, consumer } = await worker('books1');
    await own.lpush('books1', '{"body": "e30=", "headers": {}}');
    const beforeMs = await nowMs(own);
    const [taken] = await consumer.claim(1);
    const afterMs = await nowMs(own);
    expect(JSON.parse((await own.hget('unacked', taken!.tag))!)).toEqual([{ body: 'e30=', headers: {} }, '', 'books1']);
    const score = Number(await own.zscore('unacked_index', taken!.tag));
    expect(score).toBeGreaterThan(beforeMs / 1_000 - 1);
    expect(score).toBeLessThan(afterMs / 1_000 + 1);
  });

  test('hold JSON even where a message is none', async () => {
    const { own, consumer } = await worker('books2');
    await own.lpush('books2', 'no "json"');
    const [taken] = await consumer.claim(1);
    expect(JSON.parse((await own.hget('unacked', taken!.tag))!)).toEqual(['no "json"', '', 'books2']);
    const broker = new RedisBroker({ client: own, prefix: '' });
    expect(await broker.retire('books-books2')).toBe(1);
    expect(await own.llen('books2')).toBe(0);
    expect(JSON.parse((await own.lindex('arp:dead:books2', 0))!)).toMatchObject({
      reason: 'NotJson',
      text: 'no "json"',
    });
  });

  test('a key of another type stops nobody', async () => {
    const { own, consumer } = await worker('books3');
    await own.set('books3', 'not a list');
    await own.lpush('books3\x06\x163', '{"id": "x"}');
    expect(await consumer.claim(5)).toHaveLength(1);
  });

  test('a lease keeps the score fresh and tells what is no longer held', async () => {
    const { own, consumer } = await worker('books4');
    await own.lpush('books4', '{"id": "x"}', '{"id": "y"}');
    const [first, second] = await consumer.claim(2);
    await own.zadd('unacked_index', 5, first!.tag);
    await own.hdel('unacked', second!.tag);
    const lease = new RedisLease(own, '', consumer.incarnation);
    const text = { pool: 'p', slots: 2, busy: 2, queues: ['books4'] };
    const beforeMs = await nowMs(own);
    expect(await lease.renew(text, [first!.tag, second!.tag])).toEqual([second!.tag]);
    expect(Number(await own.zscore('unacked_index', first!.tag))).toBeGreaterThan(1_000_000);
    expect(await own.pexpiretime(`arp:w:${consumer.incarnation}`)).toBeGreaterThan(beforeMs + 9_000);
  });

  test('a lease raises the counter of its pod when the server lost it, and never lowers it', async () => {
    const { own, consumer } = await worker('books8');
    const [podUid = '', number] = consumer.incarnation.split('.');
    const lease = new RedisLease(own, '', consumer.incarnation);
    const text = { pool: 'p', slots: 2, busy: 0, queues: ['books8'] };
    await own.del(`arp:i:${podUid}`);
    await lease.renew(text, []);
    expect(await own.get(`arp:i:${podUid}`)).toBe(number);
    await own.set(`arp:i:${podUid}`, 99);
    await lease.renew(text, []);
    expect(await own.get(`arp:i:${podUid}`)).toBe('99');
  });

  test.each([
    { list: 'books5', how: 'the most urgent list, without a look', looks: 0 },
    { list: 'books6\x06\x169', how: 'another priority, at the next look', looks: 1 },
  ])('a plain LPUSH wakes an idle worker: $how', async ({ list, looks }) => {
    const { own, consumer } = await worker(list.slice(0, 6));
    const gone = AbortSignal.timeout(60_000);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const waiting = consumer.awaitWork(gone);
    await own.lpush(list, '{"id": "x"}');
    vi.advanceTimersByTime(looks * 1_000);
    await waiting;
    expect(gone.aborted).toBe(false);
    expect(await consumer.claim(1)).toHaveLength(1);
  });

  test('a worker that leaves messages behind wakes the next', async () => {
    const { own, consumer } = await worker('books7');
    await own.lpush('books7', '{"id": "x"}', '{"id": "y"}');
    await consumer.claim(1);
    expect(await own.llen('arp:bell:books7')).toBe(1);
    await consumer.claim(5);
    expect(await own.llen('arp:bell:books7')).toBe(0);
  });
});

describe('what a run leaves behind', () => {
  const next = { queue: 'left-next', priority: 0, text: 'next' };
  const dead = { queue: 'left', reason: 'r', message: 'm', text: 't' };

  async function consumerWith(results: ResultsPlace) {
    const own = client();
    const options = { client: own, openBlocking: () => client(), db: 0, prefix: '', queues: ['left'], podUid: 'left' };
    const consumer = await openRedisConsumer({ ...options, results });
    consumers.push(consumer);
    await own.del('left-next');
    return { own, consumer };
  }

  test.each([
    { why: 'a result', key: 'celery-task-meta-odd', db: 1 },
    { why: 'a dead letter', key: 'arp:dead:left', db: 0 },
  ])('is written as a whole or not at all: the key of $why is of another type', async ({ key, db }) => {
    const { own, consumer } = await consumerWith({ db: 1, prefix: '', expiresSeconds: 60 });
    const at = client(db);
    await Promise.all([client(1).del('celery-task-meta-odd'), own.del('arp:dead:left')]);
    await at.hset(key, 'of', 'another type');
    const left = { publications: [next], results: [{ id: 'odd', text: '{}' }], deadLetters: [dead], tag: undefined };
    await expect(consumer.settle([left])).rejects.toMatchObject({ isRefusal: true });
    expect([await own.llen('left-next'), await client(1).exists('celery-task-meta-odd')]).toEqual([0, db]);
    await at.del(key);
    await consumer.settle([left]);
    expect(await own.llen('left-next')).toBe(1);
  });

  test('is sent once, however often its result is tried again that is stored elsewhere', async () => {
    const results = new MemoryResultStore();
    const store = results.store.bind(results);
    results.store = () => Promise.reject(new Error('away'));
    const { own, consumer } = await consumerWith({ store: results });
    const left = { publications: [next], results: [{ id: 'r', text: '{}' }], deadLetters: [], tag: undefined };
    for (let i = 0; i < 3; i += 1) await expect(consumer.settle([left])).rejects.toThrow('away');
    results.store = store;
    await consumer.settle([left]);
    expect([await own.llen('left-next'), await results.read(['r'])]).toEqual([1, ['{}']]);
  });

  async function elsewhere() {
    const there = other.client();
    const store = new RedisResultStore({ client: there, openSubscriber: () => other.client(), prefix: '' });
    const { own, consumer } = await consumerWith({ store });
    await Promise.all([own.del('left', 'arp:dead:left'), there.flushall()]);
    await own.lpush('left', '{}');
    const [taken] = await consumer.claim(1);
    const left = { publications: [next], results: [{ id: 'odd', text: '{}' }], deadLetters: [dead], tag: taken?.tag };
    const isHeld = async () => (await own.hexists('unacked', left.tag ?? '')) === 1;
    return { own, there, store, consumer, left, isHeld };
  }

  test.each([
    { why: 'a result', key: 'celery-task-meta-odd', server: other },
    { why: 'a dead letter', key: 'arp:dead:left', server: redis },
  ])('elsewhere waits alone, and is sent once: the key of $why is of another type', async ({ key, server }) => {
    const { own, consumer, store, left, isHeld } = await elsewhere();
    await server.client().hset(key, 'of', 'another type');
    const said: unknown[] = [];
    const silent = { debug: vi.fn(), info: vi.fn(), warn: vi.fn() };
    const log = { ...silent, error: (fields: object) => said.push(fields) };
    const settler = new Settler({ consumer, log, after: systemClock.after });
    const odd = settler.settle(left);
    const fine = { queue: 'left-next', priority: 0, text: 'next of fine' };
    await settler.settle({ publications: [fine], results: [{ id: 'f', text: '{}' }], deadLetters: [], tag: undefined });
    expect(await store.read(['f'])).toEqual(['{}']);
    await expect.poll(() => said).toEqual([{ keys: ['celery-task-meta-odd', 'arp:dead:left'] }]);
    expect(await isHeld()).toBe(true);
    await server.client().del(key);
    await odd;
    expect([await isHeld(), await store.read(['odd']), await own.llen('arp:dead:left')]).toEqual([false, ['{}'], 1]);
    expect((await own.lrange('left-next', 0, -1)).sort()).toEqual(['next', 'next of fine']);
  });

  test.each([
    { why: 'is full', spoil: ['config', 'set', 'maxmemory', '1'], mend: ['config', 'set', 'maxmemory', '0'] },
    { why: 'follows another server', spoil: ['replicaof', '127.0.0.1', '1'], mend: ['replicaof', 'no', 'one'] },
    {
      why: 'permits too little',
      spoil: ['acl', 'setuser', 'default', '-setex'],
      mend: ['acl', 'setuser', 'default', '+setex'],
    },
  ])('elsewhere is not refused for good while that server $why', async ({ spoil, mend }) => {
    const { own, there, consumer, store, left, isHeld } = await elsewhere();
    const administer = ([command = '', ...args]: readonly string[]) => there.call(command, args);
    onTestFinished(async () => {
      await administer(mend);
    });
    await administer(spoil);
    await expect(consumer.settle([left])).rejects.toMatchObject({ name: 'BrokerUnavailable', isRefusal: false });
    expect([await isHeld(), await own.llen('left-next')]).toEqual([true, 1]);
    await administer(mend);
    await consumer.settle([left]);
    expect([await isHeld(), await own.llen('left-next'), await store.read(['odd'])]).toEqual([false, 1, ['{}']]);
  });
});

describe('a Redis broker that is asked which messages are there', () => {
  test('calls none of them absent while a list is too deep to be read whole', async () => {
    const own = client();
    const broker = new RedisBroker({ client: own, prefix: 'deep-' });
    expect(await broker.find('q', new Set(['lost']))).toEqual(new Set());
    await own.lpush('deep-q', ...Array.from({ length: 10_000 }, (_, i) => `message ${i}`));
    expect(await broker.find('q', new Set(['lost']))).toEqual(new Set(['lost']));
  });

  test('says that it refused when it will never do it, and that it could not answer otherwise', async () => {
    const own = client();
    const broker = new RedisBroker({ client: own, prefix: 'odd-' });
    await own.set('odd-q', 'a string');
    const publications = [
      { queue: 'even', priority: 0, text: 'm' },
      { queue: 'q', priority: 0, text: 'm' },
    ];
    await expect(broker.publish(publications)).rejects.toMatchObject({ name: 'BrokerUnavailable', isRefusal: true });
    // Who tries again would send the others twice.
    expect(await own.exists('odd-even')).toBe(0);
    own.disconnect();
    await expect(broker.publish(publications)).rejects.toMatchObject({ name: 'BrokerUnavailable', isRefusal: false });
  });

  test('pushes what it is given into the lists that are named, and rings their bells', async () => {
    const own = client();
    const broker = new RedisBroker({ client: own, prefix: '' });
    await broker.push([1, 2].map((n) => ({ list: 'named', bell: 'arp:bell:named', message: `m${n}` })));
    expect(await own.lrange('named', 0, -1)).toEqual(['m2', 'm1']);
    expect(await own.llen('arp:bell:named')).toBeGreaterThan(0);
  });
});
