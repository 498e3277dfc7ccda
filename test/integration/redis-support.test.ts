import { afterEach, describe, expect, test } from 'vitest';
import { callRedis } from '../support/redis-call.ts';
import { startLocalRedis } from '../support/redis-process.ts';
import type { RunningRedis } from '../support/redis.ts';

describe('a Redis of its own from the local binary', () => {
  let redis: RunningRedis | undefined;
  afterEach(async () => {
    await redis?.stop();
    redis = undefined;
  });

  test('keeps what was written through a kill when it appends to a file', async () => {
    redis = await startLocalRedis({ appendOnly: true });
    await callRedis(redis.url, 'SET', 'note', 'do');
    await redis.kill();
    await expect(callRedis(redis.url, 'GET', 'note')).rejects.toThrow();
    await redis.restart();
    expect(await callRedis(redis.url, 'GET', 'note')).toBe('do');
  });

  test('keeps nothing otherwise, and comes back on the same port', async () => {
    redis = await startLocalRedis();
    const { port } = redis;
    await callRedis(redis.url, 'SET', 'note', 're');
    await redis.restart();
    expect(redis.port).toBe(port);
    expect(await callRedis(redis.url, 'GET', 'note')).toBeNull();
  });

  test('asks for the password it was given, and the url carries it', async () => {
    redis = await startLocalRedis({ password: 'la si do' });
    expect(await callRedis(redis.url, 'PING')).toBe('PONG');
    await expect(callRedis(`redis://127.0.0.1:${redis.port}`, 'PING')).rejects.toThrow();
  });
});
