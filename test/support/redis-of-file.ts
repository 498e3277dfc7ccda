import type { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { startRedis, type RunningRedis } from './redis.ts';
import { redisClient } from './run-stores.ts';

/** A Redis for the tests of one file, from before the first until after the last, with all clients opened by it. */
export interface RedisOfFile {
  /** Of one of its databases, by default 0. To be asked within a test or a hook. */
  url(db?: number): string;
  /** A client of one of its databases, by default 0, of an account (`name:password`) or of the default one. */
  client(options?: { readonly db?: number; readonly account?: string }): Redis;
}

/** To be called where hooks can be, outside of tests. */
export function redisOfFile(): RedisOfFile {
  let redis: RunningRedis;
  const clients: Redis[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    for (const each of clients) each.disconnect();
    await redis.stop();
  });
  return {
    url: (db = 0) => redis.url.replace(/\d+$/, String(db)),
    client: ({ db, account } = {}) => {
      const url = account === undefined ? redis.url : redis.url.replace('//', `//${account}@`);
      const opened = redisClient(url, db);
      clients.push(opened);
      return opened;
    },
  };
}
