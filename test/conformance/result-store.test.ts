import { describe, expect, test } from 'vitest';
import type { Redis } from 'ioredis';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { redisOfFile } from '../support/redis-of-file.ts';
import { resultStoreSuite } from './result-store-suite.ts';

const redis = redisOfFile();
const client = (): Redis => redis.client();

resultStoreSuite('the result store in memory', () => Promise.resolve(new MemoryResultStore()));

resultStoreSuite('the result store in Redis', () =>
  Promise.resolve(new RedisResultStore({ client: client(), openSubscriber: client, prefix: '' })),
);

resultStoreSuite('the result store in Redis under a prefix', () =>
  Promise.resolve(new RedisResultStore({ client: client(), openSubscriber: client, prefix: 'team' })),
);

describe("Celery's keys", () => {
  test('hold the result for a day, under the prefix as Celery joins it', async () => {
    const own = client();
    await new RedisResultStore({ client: own, openSubscriber: client, prefix: 'other' }).store([
      { id: 'abc', text: '{"status": "SUCCESS", "result": 1}' },
    ]);
    const left = await own.ttl('other_celery-task-meta-abc');
    expect(left).toBeGreaterThan(86_300);
    expect(left).toBeLessThanOrEqual(86_400);
  });

  test('a SUCCESS of a writer with another order of fields is final too', async () => {
    const own = client();
    await own.set('celery-task-meta-odd', '{"result": 1, "status": "SUCCESS"}');
    const store = new RedisResultStore({ client: own, openSubscriber: client, prefix: '' });
    expect(await store.store([{ id: 'odd', text: '{"status": "FAILURE"}' }])).toEqual([false]);
  });

  test('a broken subscription is told, and results are heard again', async () => {
    const own = client();
    const store = new RedisResultStore({ client: own, openSubscriber: client, prefix: '' });
    const heard: string[] = [];
    let missed = 0;
    const first = Promise.withResolvers<undefined>();
    const second = Promise.withResolvers<undefined>();
    const third = Promise.withResolvers<undefined>();
    const hearing = store.hear({
      heard: (id) => {
        heard.push(id);
        third.resolve(undefined);
      },
      missed: () => {
        missed += 1;
        (missed === 1 ? first : second).resolve(undefined);
      },
    });
    await first.promise;
    await own.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await second.promise;
    await store.store([{ id: '00000000-0000-8000-8000-00000000ffff', text: '{"status": "SUCCESS", "result": 1}' }]);
    await third.promise;
    expect(heard).toEqual(['00000000-0000-8000-8000-00000000ffff']);
    hearing.close();
  });
});
