import { Redis } from 'ioredis';
import type { RedisAddress } from '#core/resources/redis-address.ts';
import { settingsFor } from './address-settings.ts';

const LONGEST_RETRY_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that answers nothing for this long while something is asked is taken for gone. */
const ANSWER_WITHIN_MS = 15_000;

export interface RedisClientOptions {
  readonly address: RedisAddress;
  /** PEM of the authority to trust for TLS; the public ones by default. */
  readonly ca?: string | undefined;
  /** What `CLIENT LIST` shows, so that an administrator sees who is connected. */
  readonly name: string;
  /** Told of every failed attempt to connect and every break, with a message that holds no password. */
  readonly onError?: (message: string) => void;
}

/**
 * A client that reconnects for ever and never repeats a command by itself: when the connection breaks, every command on
 * its way is rejected at once, for nobody knows whether it was done. While there is no connection, commands wait for the
 * next attempt and are rejected if it fails (within about 6 s). Blocking commands need a client of their own and a
 * timeout below 15 s.
 */
export function openRedis({ address, ca, name, onError }: RedisClientOptions): Redis {
  const client = new Redis({
    ...settingsFor(address, ca),
    connectionName: name.replaceAll(/[^!-~]/g, '_'),
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: ANSWER_WITHIN_MS,
    keepAlive: 10_000,
    noDelay: true,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(LONGEST_RETRY_DELAY_MS, 50 * 2 ** Math.min(attempt, 6)),
  });
  // Without a listener, one refused connection would end the process.
  client.on('error', (error: Error) => onError?.(messageOf(error)));
  return client;
}

function messageOf(error: Error): string {
  // Node joins the attempts at several addresses of one name into an error without a message of its own.
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return first?.message ?? error.message;
}
