import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { startLocalRedis } from '../support/redis-process.ts';
import type { RunningRedis } from '../support/redis.ts';

describe('a Redis of its own from the local binary', () => {
  let redis: RunningRedis | undefined;
  afterEach(async () => {
    await redis?.stop();
    redis = undefined;
  });

  async function call(url: string, command: string, ...args: string[]): Promise<unknown> {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.call(command, ...args);
    } finally {
      client.disconnect();
    }
  }

  test('keeps what was written through a kill when it appends to a file', async () => {
    redis = await startLocalRedis({ appendOnly: true });
    await call(redis.url, 'SET', 'note', 'do');
    await redis.kill();
    await expect(call(redis.url, 'GET', 'note')).rejects.toThrow();
    await redis.restart();
    expect(await call(redis.url, 'GET', 'note')).toBe('do');
  });

  test('keeps nothing otherwise, and comes back on the same port', async () => {
    redis = await startLocalRedis();
    const { port } = redis;
    await call(redis.url, 'SET', 'note', 're');
    await redis.restart();
    expect(redis.port).toBe(port);
    expect(await call(redis.url, 'GET', 'note')).toBeNull();
  });

  test('asks for the password it was given, and the url carries it', async () => {
    redis = await startLocalRedis({ password: 'la si do' });
    expect(await call(redis.url, 'PING')).toBe('PONG');
    await expect(call(`redis://127.0.0.1:${redis.port}`, 'PING')).rejects.toThrow();
  });
});
