import { fail, ok, type Result } from '#core/base/result.ts';

/** Where one Redis is and who we are there. Holds a password: never log it, never put it into a message. */
export interface RedisAddress {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
}

const defaultPort = 6379;
const maxDb = 1023;

/** Schemes of other clients that people are likely to paste, with what to do instead. */
const refusedSchemes: Readonly<Record<string, string>> = {
  amqp: 'RabbitMQ is not supported yet; use a Redis broker',
  amqps: 'RabbitMQ is not supported yet; use a Redis broker',
  sentinel: 'Redis Sentinel is not supported yet; name the master with redis:// or rediss://',
  'redis+sentinel': 'Redis Sentinel is not supported yet; name the master with redis:// or rediss://',
  'redis+cluster': "Redis Cluster cannot be used, for Celery's keys cannot be kept on one node; use a single Redis",
  'redis+socket': 'a socket file is not reachable from pods; use redis:// or rediss://',
  unix: 'a socket file is not reachable from pods; use redis:// or rediss://',
};

/**
 * Reads `redis://[user[:password]@]host[:port][/db]`, or `rediss://` for TLS. The error says what is wrong and the way
 * out in one sentence without a subject, and never repeats more of the URL than its scheme.
 */
export function parseRedisAddress(text: string): Result<RedisAddress, string> {
  const trimmed = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === undefined) return fail('is not a URL; write redis://host:6379/0');
  if (scheme !== 'redis' && scheme !== 'rediss') {
    return fail(refusedSchemes[scheme] ?? `has the scheme ${scheme}; write redis://, or rediss:// for TLS`);
  }
  const url = parseUrl(trimmed);
  if (url === undefined)
    return fail('is not a URL; write redis://host:6379/0, and special characters of a password as %xx');
  return readUrl(url, scheme === 'rediss');
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function readUrl(url: URL, tls: boolean): Result<RedisAddress, string> {
  if (url.search !== '' || url.hash !== '') {
    return fail(
      'has options behind ? or #, which are not taken; TLS is chosen by rediss:// and trusted through the key ca.crt',
    );
  }
  if (url.hostname === '') return fail('names no host; write redis://host:6379/0');
  const db = parseDb(url.pathname);
  if (db === undefined)
    return fail(`has a path that is no database number from 0 to ${maxDb}; write redis://host:6379/0`);
  const account = readAccount(url);
  if (account === undefined) {
    return fail('has a user name or password with a % that begins no %xx; write a percent sign as %25');
  }
  const port = url.port === '' ? defaultPort : Number(url.port);
  if (port === 0) return fail('names port 0; write redis://host:6379/0');
  return ok({
    tls,
    host: url.hostname.replace(/^\[|\]$/g, '').toLowerCase(),
    port,
    db,
    ...account,
  });
}

function readAccount(url: URL): Pick<RedisAddress, 'username' | 'password'> | undefined {
  const username = decodePart(url.username);
  const password = decodePart(url.password);
  if (username === undefined || password === undefined) return undefined;
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function parseDb(path: string): number | undefined {
  const text = path.replace(/^\//, '');
  if (text === '') return 0;
  return /^[0-9]{1,4}$/.test(text) && Number(text) <= maxDb ? Number(text) : undefined;
}

function decodePart(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
