import { Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from '#core/resources/redis-address.ts';
import { settingsFor } from './address-settings.ts';

export interface ConnectRedisOptions {
  readonly address: RedisAddress;
  /** PEM of the authority that signed the server's certificate; the public ones hold when absent. */
  readonly ca?: string;
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /** A command without an answer for so long rejects. */
  readonly commandTimeoutMs: number;
}

const connectTimeoutMs = 5_000;

/**
 * A client that lives as long as its one connection: resolves when the server takes commands, and rejects with the first
 * thing that went wrong. After a break every command rejects, and nothing is sent twice; the owner connects another.
 */
export async function connectRedis(options: ConnectRedisOptions): Promise<Redis> {
  const redis = new Redis(settingsOf(options));
  let cause: unknown;
  // Without a listener an error of the connection would end the process; commands report it, too.
  redis.on('error', (error: unknown) => {
    cause ??= error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw cause ?? error;
  }
}

function settingsOf({ address, ca, name, commandTimeoutMs }: ConnectRedisOptions) {
  return {
    ...settingsFor(address, ca),
    connectionName: name,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    keepAlive: 15_000,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    protocol: 2 as const,
    retryStrategy: () => null,
  } satisfies RedisOptions;
}
