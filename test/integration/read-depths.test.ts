import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { queueKeys } from '#core/celery/queue-key.ts';
import { readBrokerDepths, readHeld } from '#io/redis/read-depths.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

let server: RunningRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

describe('the depth of queues', () => {
  test('counts the messages of all four priorities, under the prefix alone', async () => {
    for (const [at, key] of queueKeys('gpu').entries()) {
      await redis.lpush(`p:${key}`, ...Array.from({ length: at + 1 }, () => 'x'));
    }
    await redis.lpush('gpu', 'of another prefix');
    const { waiting } = await readBrokerDepths(redis, 'p:', { queues: ['gpu', 'empty'], podUids: [] });
    expect(waiting).toEqual(
      new Map([
        ['gpu', 10],
        ['empty', 0],
      ]),
    );
  });

  test('a key that is no list hides no other queue', async () => {
    await redis.set('p:other', 'no list');
    await redis.lpush('p:gpu', 'x');
    const { waiting } = await readBrokerDepths(redis, 'p:', { queues: ['other', 'gpu'], podUids: [] });
    expect([...waiting]).toEqual([
      ['other', 0],
      ['gpu', 1],
    ]);
  });

  test('counts taken messages by worker and queue, and none of foreign workers', async () => {
    const uid = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
    const tags = [
      `arp:${uid}.2:gpu:a`,
      `arp:${uid}.2:gpu:b`,
      `arp:${uid}.3:my.queue:c`,
      'b1f6a0a2-0000-4000-8000-000000000000',
    ];
    for (const tag of tags) await redis.hset('unacked', tag, '[]');
    const { taken } = await readBrokerDepths(redis, '', { queues: ['gpu'], podUids: [] });
    expect(taken).toHaveLength(2);
    expect(taken).toEqual(
      expect.arrayContaining([
        { podUid: uid, incarnation: 2, queue: 'gpu', count: 2 },
        { podUid: uid, incarnation: 3, queue: 'my.queue', count: 1 },
      ]),
    );
  });

  test('does not claim to know what is taken when it is too much to look through', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i <= 20_000; i += 1) pipeline.hset('unacked', `arp:u.1:q:${String(i)}`, '');
    await pipeline.exec();
    const depths = await readBrokerDepths(redis, '', { queues: ['q'], podUids: [] });
    expect(depths.taken).toBeUndefined();
    expect(depths.waiting.get('q')).toBe(0);
  });

  test('reads the lease of the newest process in each pod, and none of what is not a lease', async () => {
    await redis.mset('arp:i:u1', '2', 'arp:w:u1.1', '{"slots":9,"busy":9}', 'arp:w:u1.2', '{"slots":4,"busy":1}');
    await redis.mset('arp:i:u2', '1', 'arp:i:u3', '1', 'arp:w:u3.1', 'nonsense');
    const { leases } = await readBrokerDepths(redis, '', { queues: [], podUids: ['u1', 'u2', 'u3', 'u4'] });
    expect(leases).toEqual([{ podUid: 'u1', slots: 4, busy: 1 }]);
  });

  test('sums what is held over all shards', async () => {
    await redis.hset('arp:q:0:gpu', 'run-a', '3', 'run-b', '4');
    await redis.hset('arp:q:255:gpu', 'run-c', '5');
    expect(await readHeld(redis, '', ['gpu', 'cpu'])).toEqual(
      new Map([
        ['gpu', 12],
        ['cpu', 0],
      ]),
    );
  });

  test('is read for hundreds of queues at once', async () => {
    const queues = Array.from({ length: 450 }, (_, i) => `q${String(i)}`);
    await redis.lpush('q449', 'x');
    await redis.hset('arp:q:7:q449', 'run', '2');
    const { waiting } = await readBrokerDepths(redis, '', { queues, podUids: [] });
    expect([waiting.size, waiting.get('q449')]).toEqual([450, 1]);
    expect((await readHeld(redis, '', queues)).get('q449')).toBe(2);
  });
});
