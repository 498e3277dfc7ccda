import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { decodeControlRequest, revokedIds } from '#core/celery/control-message.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { openRedisConsumer } from '#io/brokers/redis/redis-consumer.ts';
import { messageId } from '#io/brokers/message-text.ts';
import { redisOfFile } from '../support/redis-of-file.ts';

const redis = redisOfFile();
const client = (): Redis => redis.client();

function text(id: string): string {
  const [argsText, kwargsText] = ['["\\"id\\": \\"other\\""]' as JsonText, '{}' as JsonText];
  return encodeTaskMessage({ id, task: 'demo.add', argsText, kwargsText, queue: 'deep', deliveryTag: `t-${id}` });
}

test('what lies too deep to be taken back is marked for our workers, and Celery is told', async () => {
  const own = client();
  const broker = new RedisBroker({ client: own, prefix: 'team:' });
  const podUid = 'pod';
  const results = { db: 0, prefix: '', expiresSeconds: 60 };
  const options = { client: own, openBlocking: client, db: 0, prefix: 'team:', queues: ['deep'], podUid, results };
  const worker = await openRedisConsumer(options);
  const heard = Promise.withResolvers<string>();
  const celery = client();
  celery.on('message', (_channel: string, said: string) => heard.resolve(said));
  await celery.subscribe('team:/0.celery.pidbox');

  await broker.publish(
    Array.from({ length: 10_003 }, (_each, index) => ({ queue: 'deep', priority: 0, text: text(`m${index}`) })),
  );
  expect(await broker.withdraw('deep', new Set(['m0', 'm2', 'm9000']))).toEqual(new Set(['m9000']));
  expect(await own.llen('team:deep')).toBe(10_002);
  const request = decodeControlRequest(await heard.promise);
  if (!request.ok) throw new Error(request.error.message);
  expect([revokedIds(request.value), request.value.arguments['terminate']]).toEqual([['m0', 'm2'], false]);

  const taken = await worker.claim(4);
  expect(taken.map((each) => [messageId(each.text), each.isWithdrawn])).toEqual([
    ['m0', true],
    ['m1', undefined],
    ['m2', true],
    ['m3', undefined],
  ]);
  expect(await own.ttl('team:arp:marked')).toBeGreaterThan(86_400);
  worker.close();
});

test('a worker whose account may not listen is told so', async () => {
  const own = client();
  await own.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels', '&celery-task-meta-*');
  const openDeaf = (): Redis => redis.client({ account: 'deaf:secret' });
  const results = { db: 0, prefix: '', expiresSeconds: 60 };
  const options = { client: own, openBlocking: openDeaf, db: 0, prefix: '', queues: ['q'], podUid: 'deaf', results };
  const worker = await openRedisConsumer(options);
  await expect(worker.obey('pool@deaf', () => undefined)).rejects.toThrow(/NOPERM|permission/i);
  worker.close();
});

test('a worker whose connection broke hears again when it is back', async () => {
  const own = client();
  const results = { db: 0, prefix: '', expiresSeconds: 60 };
  const options = { client: own, openBlocking: client, db: 0, prefix: '', queues: ['q'], podUid: 'cut', results };
  const worker = await openRedisConsumer(options);
  const heard = Promise.withResolvers<readonly string[]>();
  await worker.obey('pool@cut', (request) => {
    heard.resolve(revokedIds(request));
    return undefined;
  });
  const listeners = async (): Promise<unknown> => (await own.pubsub('NUMSUB', '/0.celery.pidbox'))[1];
  expect(await listeners()).toBe(1);
  await own.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await expect.poll(listeners).toBe(1);
  await new RedisBroker({ client: own, prefix: '' }).revoke(new Set(['again']));
  expect(await heard.promise).toEqual(['again']);
  worker.close();
});
