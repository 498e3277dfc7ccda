import type { Redis } from 'ioredis';
import { UnsupportedServerError } from './redis-failure.ts';

/** Who a Redis server is. */
export interface RedisServer {
  /** Differs between servers, and changes when one restarts. */
  readonly runId: string;
  readonly version: string;
}

/** 6.2 brought `BLMOVE` and the options of scripts that we use. */
const lowestVersion = [6, 2] as const;

/** Asks a connected server who it is; throws `UnsupportedServerError` for one that cannot hold Celery's keys. */
export async function probeServer(redis: Redis, db: number): Promise<RedisServer> {
  // The client goes on in database 0 when the server has not the one asked for.
  await redis.select(db);
  const info = parseInfo(await redis.info());
  const version = info.get('redis_version') ?? '0.0';
  if (info.get('redis_mode') === 'sentinel') {
    throw new UnsupportedServerError('is a Sentinel and holds no data: name the server that it watches');
  }
  if (info.get('redis_mode') === 'cluster' || info.get('cluster_enabled') === '1') {
    throw new UnsupportedServerError(
      "runs as a Redis Cluster, which cannot keep Celery's keys together: use a server without cluster mode",
    );
  }
  if (info.get('role') === 'slave') {
    throw new UnsupportedServerError('is a replica, which takes no writes: name its master');
  }
  if (isLower(version)) {
    throw new UnsupportedServerError(`is version ${version}; ${lowestVersion.join('.')} or later is needed`);
  }
  return { runId: info.get('run_id') ?? '', version };
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

function isLower(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < lowestVersion[0] || (major === lowestVersion[0] && minor < lowestVersion[1]);
}
