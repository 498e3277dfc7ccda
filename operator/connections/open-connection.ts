import type { Redis } from 'ioredis';
import { fail, ok, type Result } from '#core/base/result.ts';
import type { RedisAddress } from '#core/resources/redis-address.ts';
import { claimDatabase, claimKey } from '#io/redis/claim.ts';
import { connectRedis } from '#io/redis/connect-redis.ts';
import { probeServer, type RedisServer } from '#io/redis/probe-server.ts';
import { describeRedisFailure, type RedisFailure } from '#io/redis/redis-failure.ts';
import type { ConnectionFailure, ConnectionRef, OpenConnection } from './connection-state.ts';
import type { ReadSettings } from './secret-reader.ts';

/** Whether two namespaces may use one database and prefix together. */
export type MaySharePredicate = (one: string, other: string) => boolean;

/** One side of a connection: where its Redis is and what its keys begin with. */
interface Side {
  readonly role: 'broker' | 'results';
  readonly address: RedisAddress;
  readonly prefix: string;
  readonly ca?: string;
}

interface OpenSide extends Side {
  readonly redis: Redis;
  readonly server: RedisServer;
}

/** A command that takes longer has lost its server. */
const commandTimeoutMs = 10_000;

/**
 * Connects to broker and results, finds out who they are and claims their databases for the namespace. What does not
 * work is a value, and leaves no connection open.
 */
export async function openConnection(
  ref: ConnectionRef,
  { settings, version }: ReadSettings,
  mayShare: MaySharePredicate,
): Promise<Result<OpenConnection, ConnectionFailure>> {
  const ca = settings.ca === undefined ? {} : { ca: settings.ca };
  const { operatorBroker, operatorResults, keyPrefix, resultKeyPrefix } = settings;
  const broker = await openSide(ref, { role: 'broker', address: operatorBroker, prefix: keyPrefix, ...ca }, mayShare);
  if (!broker.ok) return broker;
  const results = await openResults(
    ref,
    { role: 'results', address: operatorResults, prefix: resultKeyPrefix, ...ca },
    { broker: broker.value, mayShare },
  );
  if (!results.ok) {
    broker.value.redis.disconnect();
    return results;
  }
  return ok({
    ref,
    settings,
    version,
    broker: broker.value.redis,
    results: results.value.redis,
    brokerRunId: broker.value.server.runId,
    resultsRunId: results.value.server.runId,
  });
}

async function openResults(
  ref: ConnectionRef,
  side: Side,
  { broker, mayShare }: { broker: OpenSide; mayShare: MaySharePredicate },
): Promise<Result<OpenSide, ConnectionFailure>> {
  if (!isSameAddress(side.address, broker.address)) return openSide(ref, side, mayShare);
  const taken =
    side.prefix === broker.prefix ? undefined : await claim(ref, { ...side, redis: broker.redis }, mayShare);
  return taken === undefined ? ok({ ...broker, ...side }) : fail(taken);
}

async function openSide(
  ref: ConnectionRef,
  side: Side,
  mayShare: MaySharePredicate,
): Promise<Result<OpenSide, ConnectionFailure>> {
  let redis: Redis | undefined;
  try {
    redis = await connectRedis({
      address: side.address,
      name: `arpeggio-operator-${side.role}`,
      commandTimeoutMs,
      ...(side.ca === undefined ? {} : { ca: side.ca }),
    });
    const server = await probeServer(redis, side.address.db);
    const taken = await claim(ref, { ...side, redis }, mayShare);
    if (taken === undefined) return ok({ ...side, redis, server });
    redis.disconnect();
    return fail(taken);
  } catch (error) {
    redis?.disconnect();
    return fail(failureOf(side, describeRedisFailure(side.address, error)));
  }
}

async function claim(
  ref: ConnectionRef,
  side: Side & { readonly redis: Redis },
  mayShare: MaySharePredicate,
): Promise<ConnectionFailure | undefined> {
  const holder = await claimDatabase(side.redis, side.prefix, ref.namespace);
  if (holder === ref.namespace || mayShare(holder, ref.namespace)) return undefined;
  const { host, port, db } = side.address;
  const where = `database ${String(db)} of ${host}:${String(port)}${side.prefix === '' ? '' : ` under the prefix ${side.prefix}`}`;
  const message = `namespace ${holder} already uses ${where}: choose another database or prefix, or let an administrator list both namespaces in sharedConnections; if ${holder} is gone for good, delete the key ${claimKey(side.prefix)} there`;
  return { reason: 'ConnectionTaken', message };
}

function failureOf(side: Side, failure: RedisFailure): ConnectionFailure {
  const unreachable = side.role === 'broker' ? 'BrokerUnreachable' : 'ResultsUnreachable';
  return {
    reason: failure.reason === 'Unreachable' ? unreachable : failure.reason,
    message: `${side.role}: ${failure.message}`,
  };
}

function isSameAddress(one: RedisAddress, other: RedisAddress): boolean {
  return (['tls', 'host', 'port', 'db', 'username', 'password'] as const).every((key) => one[key] === other[key]);
}
