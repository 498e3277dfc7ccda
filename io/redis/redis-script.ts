import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

export type ScriptArgument = string | number | Buffer;

/** A Lua script, sent once per server and called by its digest from then on. */
export interface RedisScript {
  run(client: Redis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown>;
}

/** Loads itself again where a server has forgotten it (a restart, a fail-over, SCRIPT FLUSH). */
export function redisScript(source: string): RedisScript {
  const digest = createHash('sha1').update(source).digest('hex');
  return {
    async run(client, keys, args) {
      try {
        return await client.evalsha(digest, keys.length, ...keys, ...args);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return client.eval(source, keys.length, ...keys, ...args);
      }
    },
  };
}
