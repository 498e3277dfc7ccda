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
  await expect(lost).rejects.toThrow('the broker did not answer');
  isMute = false;

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
