import { startContainerRedis } from './redis-container.ts';
import { startLocalRedis } from './redis-process.ts';
import { dockerAnswers } from './docker-engine.ts';
import type { RedisOptions, RunningRedis } from './running-redis.ts';

export type { RedisOptions, RunningRedis } from './running-redis.ts';

/**
 * Starts Redis on a free port and resolves when it answers: in a container where a Docker engine answers, else from the
 * machine's `redis-server`. `ARPEGGIO_TEST_REDIS=process` or `=container` settles it.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const wanted = process.env['ARPEGGIO_TEST_REDIS'];
  if (wanted === 'process') return startLocalRedis(options);
  if (wanted === 'container' || (await dockerAnswers())) return startContainerRedis(options);
  return startLocalRedis(options);
}
