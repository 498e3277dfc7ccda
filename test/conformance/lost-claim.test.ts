import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRedisConsumer } from '#io/brokers/redis/redis-consumer.ts';
import { openRedis } from '#io/redis/open-redis.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';

let redis: RunningRedis;
let proxy: Server;
let isMute = false;
const sockets = new Set<Socket>();

/** Hands everything on; while it is mute, what the server answers is lost. */
function relay(inward: Socket): void {
  const outward = connect(Number(new URL(redis.url).port), '127.0.0.1');
  for (const socket of [inward, outward]) {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  }
  inward.on('data', (chunk) => outward.write(chunk)).on('close', () => outward.destroy());
  outward.on('data', (chunk) => isMute || inward.write(chunk)).on('close', () => inward.destroy());
}

function client(port: number) {
  const address = { tls: false, host: '127.0.0.1', port, db: 0 };
  return openRedis({ address, name: 'arpeggio-test' });
}

beforeAll(async () => {
  redis = await startRedis();
  proxy = createServer(relay);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  proxy.close();
  for (const socket of sockets) socket.destroy();
  await redis.stop();
});

test('what a claim took whose answer was lost goes back and is claimed again, in order', async () => {
  const [own, direct] = [client((proxy.address() as AddressInfo).port), client(Number(new URL(redis.url).port))];
  const results = { db: 0, prefix: '', expiresSeconds: 60 };
  const options = { client: own, openBlocking: () => direct.duplicate(), db: 0, prefix: '', queues: ['q'], results };
  const consumer = await openRedisConsumer({ ...options, podUid: 'pod' });
  expect(await consumer.claim(2)).toEqual([]);
  await direct.lpush('q', '{"id": "first"}', 'no "json"', '{"id": "last"}');

  isMute = true;
  const lost = consumer.claim(2);
  await expect.poll(() => direct.hlen('unacked')).toBe(2);
  for (const socket of sockets) socket.destroy();
  isMute = false;
  await expect(lost).rejects.toThrow('the broker did not answer');

  const texts: string[] = [];
  await expect
    .poll(async () => {
      texts.push(...(await consumer.claim(3).catch(() => [])).map(({ text }) => text));
      return texts.length;
    })
    .toBe(3);
  expect(texts).toEqual(['{"id": "first"}', 'no "json"', '{"id": "last"}']);
  expect(await direct.hlen('unacked')).toBe(3);
  consumer.close();
  own.disconnect();
  direct.disconnect();
});

test('what the server has forgotten that it was done goes back once the connection is made anew', async () => {
  const [own, direct] = [client((proxy.address() as AddressInfo).port), client(Number(new URL(redis.url).port))];
  await direct.flushall();
  const results = { db: 0, prefix: '', expiresSeconds: 60 };
  const options = { client: own, openBlocking: () => direct.duplicate(), db: 0, prefix: '', queues: ['q'], results };
  const consumer = await openRedisConsumer({ ...options, podUid: 'pod' });
  await direct.lpush('q', '{"id": "done"}', '{"id": "under way"}');
  const [done, ...underWay] = await consumer.claim(2);
  const books = await direct.hgetall('unacked');
  await consumer.settle([{ publications: [], results: [], deadLetters: [], tag: done!.tag }]);
  expect(await direct.hlen('unacked')).toBe(1);

  // The books as they stood a moment before, as a server has them that lost the end of its file.
  await direct.hset('unacked', books);
  await direct.hset('unacked', 'arp:pod.0:q:7', '[{"id": "of an earlier incarnation"}, "", "q"]');
  expect(await consumer.claim(1), 'the connection stands, so nothing was lost').toEqual([]);
  for (const socket of sockets) socket.destroy();

  const again: string[] = [];
  await expect
    .poll(async () => {
      again.push(...(await consumer.claim(3).catch(() => [])).map(({ text }) => text));
      return again;
    })
    .toEqual(['{"id": "of an earlier incarnation"}', '{"id": "done"}']);
  expect(underWay.map(({ text }) => text)).toEqual(['{"id": "under way"}']);
  expect(await direct.hlen('unacked')).toBe(3);
  consumer.close();
  own.disconnect();
  direct.disconnect();
});
