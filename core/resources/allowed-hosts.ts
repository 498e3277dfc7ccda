import type { RedisAddress } from './redis-address.ts';

/**
 * The operator connects to whatever a Secret names, with its own network position. An administrator says where it may:
 * `*` any host but the special ones below, `*.example.com` any name under a domain, `redis.prod` one host,
 * `redis.prod:6379` one port of it.
 */
export function isAllowedHost(address: Pick<RedisAddress, 'host' | 'port'>, allowedHosts: readonly string[]): boolean {
  return allowedHosts.some((pattern) => matches(pattern.trim().toLowerCase(), address));
}

function matches(pattern: string, { host, port }: Pick<RedisAddress, 'host' | 'port'>): boolean {
  if (pattern === '*') return !isSpecialHost(host);
  if (pattern.startsWith('*.')) return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
  return pattern === host || pattern === `${host}:${port}` || pattern === `[${host}]:${port}`;
}

/** The operator's own pod and what only its node may reach, such as a cloud's metadata service: only by name. */
function isSpecialHost(name: string): boolean {
  const host = name.replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  if (isOddNumber(host) || /^(127|0|169\.254)\./.test(host)) return true;
  return host === '::1' || host === '::' || /^fe[89ab][0-9a-f]:/.test(host) || host.startsWith('::ffff:');
}

/** An IPv4 address in a spelling that only resolvers understand, such as 127.1 or 0x7f000001. */
function isOddNumber(host: string): boolean {
  return /(^|\.)([0-9]+|0x[0-9a-f]*)$/.test(host) && !/^((0|[1-9][0-9]{0,2})\.){3}(0|[1-9][0-9]{0,2})$/.test(host);
}
