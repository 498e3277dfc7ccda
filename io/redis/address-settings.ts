import type { RedisOptions } from 'ioredis';
import type { RedisAddress } from '#core/resources/redis-address.ts';
import { tlsSettings } from './tls-settings.ts';

/** Where a client connects, and as whom. `ca` is the PEM of the authority to trust for TLS; the public ones by default. */
export function settingsFor(
  address: RedisAddress,
  ca: string | undefined,
): Pick<RedisOptions, 'host' | 'port' | 'db' | 'username' | 'password' | 'tls'> {
  const { host, port, db, username, password, tls } = address;
  return {
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: tlsSettings(address, ca) } : {}),
  };
}
