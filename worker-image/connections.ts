import type { Redis } from 'ioredis';
import { resultKeyPrefixUnder } from '#core/celery/result-key.ts';
import { resultKeyPrefix } from '#core/celery/result-meta.ts';
import type { RedisAddress } from '#core/resources/redis-address.ts';
import type { Consumer } from '#io/brokers/broker.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { openRedisConsumer, type ResultsPlace } from '#io/brokers/redis/redis-consumer.ts';
import { systemClock } from '#io/system-clock.ts';
import { openRedis } from '#io/redis/open-redis.ts';
import { RedisChordCounter } from '#io/results/redis/redis-chord-counter.ts';
import { RESULT_EXPIRES_SECONDS, RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import type { Config } from './config.ts';
import { persist } from './runtime/persist.ts';
import type { WorkerLog } from './runtime/worker-ports.ts';

/** Everything of a worker that stands on Redis, but the lease, which has a thread of its own. */
export interface Connections {
  readonly broker: RedisBroker;
  readonly consumer: Consumer;
  readonly results: RedisResultStore;
  readonly chords: RedisChordCounter;
  close(): void;
}

/** Connects, begins a new incarnation of the pod and takes back what the earlier ones held. Waits until Redis is there. */
export async function openConnections(config: Config, log: WorkerLog): Promise<Connections> {
  const { connection, queues, podUid, podName } = config;
  const { ca, keyPrefix: prefix, resultKeyPrefix: resultPrefix } = connection;
  const open = (address: RedisAddress, what: string): Redis => {
    const server = `${address.host}:${address.port}`;
    const onError = (error: string): void => log.warn({ server, error }, 'Redis is not reachable');
    return openRedis({ address, ca, name: `arpeggio-${what}:${podName}`, onError });
  };
  const client = open(connection.broker, 'worker');
  const resultsClient = open(connection.results, 'results');
  const openSubscriber = (): Redis => open(connection.results, 'hear');
  const results = new RedisResultStore({ client: resultsClient, openSubscriber, prefix: resultPrefix });
  const openBlocking = (): Redis => open(connection.broker, 'wake');
  const place = placeOf(config, results);
  const consumer = await persist({ log, after: systemClock.after }, () =>
    openRedisConsumer({ client, openBlocking, db: connection.broker.db, prefix, queues, podUid, results: place }),
  );
  const broker = new RedisBroker({ client, prefix });
  const restored = await persist({ log, after: systemClock.after }, () => broker.restoreGone(podUid));
  log.info({ incarnation: consumer.incarnation, restored }, 'the worker is connected');
  return {
    broker,
    consumer,
    results,
    chords: new RedisChordCounter(resultsClient, resultKeyPrefixUnder(resultPrefix).slice(0, -resultKeyPrefix.length)),
    close: () => {
      consumer.close();
      client.disconnect();
      resultsClient.disconnect();
    },
  };
}

/** In one server a script can store results where it lets go of messages; it acts as one account. */
function placeOf({ connection }: Config, store: RedisResultStore): ResultsPlace {
  const { broker, results, resultKeyPrefix: prefix } = connection;
  const isSameServer = broker.host === results.host && broker.port === results.port && broker.tls === results.tls;
  const isSameAccount = broker.username === results.username && broker.password === results.password;
  if (!isSameServer || !isSameAccount) return { store };
  return { db: results.db, prefix, expiresSeconds: RESULT_EXPIRES_SECONDS };
}
