import { isIP } from 'node:net';
import type { RedisAddress } from '#core/resources/redis-address.ts';

/** How to speak TLS with a server; `ca` is the PEM of the authority to trust, the public ones when undefined. */
export function tlsSettings(
  { host }: Pick<RedisAddress, 'host'>,
  ca: string | undefined,
): { readonly servername?: string; readonly ca?: string } {
  // A certificate names an address without SNI, which knows host names only.
  return { ...(isIP(host) === 0 ? { servername: host } : {}), ...(ca === undefined ? {} : { ca }) };
}
