import { afterEach, describe, expect, test } from 'vitest';
import { dockerAnswers } from '../support/docker-engine.ts';
import { startContainerRedis } from '../support/redis-container.ts';
import { callRedis } from '../support/redis-call.ts';
import { startRedis } from '../support/redis.ts';
import type { RunningRedis } from '../support/running-redis.ts';

const isAnswering = await dockerAnswers();

/** Where an engine is promised (continuous integration), its silence is a failure and not a reason to pass over. */
const isRequired = process.env['ARPEGGIO_TEST_DOCKER'] === 'required';

describe.skipIf(!isAnswering && !isRequired)('Redis in a container', () => {
  let redis: RunningRedis | undefined;
  afterEach(async () => {
    await redis?.stop();
    redis = undefined;
  });

  test('is what a test gets when a Docker engine answers', async () => {
    expect(isAnswering, 'a Docker engine answers at DOCKER_HOST or the default socket').toBe(true);
    redis = await startRedis();
    expect(redis.kind).toBe(process.env['ARPEGGIO_TEST_REDIS'] ?? 'container');
    expect(await callRedis(redis.url, 'PING')).toBe('PONG');
  });

  test('keeps what was written through a kill when it appends to a file, on the same port', async () => {
    redis = await startContainerRedis({ appendOnly: true, password: 'fa sol' });
    await callRedis(redis.url, 'SET', 'note', 'mi');
    await redis.kill();
    await expect(callRedis(redis.url, 'GET', 'note')).rejects.toThrow();
    await redis.restart();
    expect(await callRedis(redis.url, 'GET', 'note')).toBe('mi');
  });
});
