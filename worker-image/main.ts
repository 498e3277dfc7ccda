import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { openRedisConsumer, type ResultsPlace } from '#io/brokers/redis/redis-consumer.ts';
import { openRedis } from '#io/redis/open-redis.ts';
import { RedisChordCounter } from '#io/results/redis/redis-chord-counter.ts';
import { RESULT_EXPIRES_SECONDS, RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { resultKeyPrefixUnder } from '#core/celery/result-key.ts';
import { resultKeyPrefix } from '#core/celery/result-meta.ts';
import { ConfigError, parseConfig, type Config } from './config.ts';
import { openHealth } from './health.ts';
import { LeaseKeeper } from './lease/lease-keeper.ts';
import { InlineRunner } from './runtime/inline-runner.ts';
import { persist } from './runtime/persist.ts';
import { ThreadRunner } from './runtime/thread-runner.ts';
import { TaskWorker } from './runtime/worker.ts';
import { loadTasks } from './tasks/load-tasks.ts';
import { taskThreadUrl } from './tasks/task-thread-url.ts';

const log = pino({
  level: process.env['ARPEGGIO_LOG_LEVEL'] ?? 'info',
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
});

function placeOf({ connection }: Config, results: RedisResultStore): ResultsPlace {
  const { broker, results: address, resultKeyPrefix: prefix } = connection;
  const isSameServer = broker.host === address.host && broker.port === address.port && broker.tls === address.tls;
  const isSameAccount = broker.username === address.username && broker.password === address.password;
  if (isSameServer && isSameAccount) return { db: address.db, prefix, expiresSeconds: RESULT_EXPIRES_SECONDS };
  return { store: results };
}

async function run(config: Config): Promise<void> {
  const { connection, queues, concurrency, pool, podUid, podName } = config;
  const { ca, keyPrefix: prefix } = connection;
  const hostname = `${pool}@${podName}`;
  const open = (address: typeof connection.broker, what: string) =>
    openRedis({
      address,
      ca,
      name: `arpeggio-${what}:${podName}`,
      onError: (message) => log.warn({ server: `${address.host}:${address.port}`, error: message }, 'Redis'),
    });

  const threads = await ThreadRunner.open({ url: taskThreadUrl, tasksPath: config.tasksPath });
  const hasInline = threads.tasks.some(({ inline }) => inline);
  const inline = new InlineRunner(hasInline ? await loadTasks(config.tasksPath) : new Map());
  const tasks = new Map(threads.tasks.map((info) => [info.name, info]));
  log.info({ tasks: [...tasks.keys()], queues, concurrency }, 'tasks are loaded');

  const client = open(connection.broker, 'worker');
  const resultsClient = open(connection.results, 'results');
  const broker = new RedisBroker({ client, prefix });
  const results = new RedisResultStore({
    client: resultsClient,
    openSubscriber: () => open(connection.results, 'hear'),
    prefix: connection.resultKeyPrefix,
  });
  const consumer = await persist(log, () =>
    openRedisConsumer({
      client,
      openBlocking: () => open(connection.broker, 'wake'),
      db: connection.broker.db,
      prefix,
      queues,
      podUid,
      results: placeOf(config, results),
    }),
  );
  const restored = await persist(log, () => broker.restoreGone(podUid));
  log.info({ incarnation: consumer.incarnation, restored }, 'the worker takes messages');

  const leaseData = {
    address: connection.broker,
    ca,
    prefix,
    incarnation: consumer.incarnation,
    pool,
    slots: concurrency,
    queues,
  };
  let worker: TaskWorker | undefined;
  const lease = new LeaseKeeper(leaseData, log, {
    onGone: (tags) => worker?.lose(tags),
    onEnd: (why) => {
      log.fatal({ why }, 'the lease thread has ended; the worker ends, too');
      process.exit(1);
    },
  });
  const chordPrefix = resultKeyPrefixUnder(connection.resultKeyPrefix).slice(0, -resultKeyPrefix.length);
  const chords = new RedisChordCounter(resultsClient, chordPrefix);
  const ports = {
    consumer,
    results,
    chords,
    lease,
    threads,
    inline,
    tasks,
    log,
    nowMs: () => Date.now(),
    newId: randomUUID,
  };
  worker = new TaskWorker(ports, { queues, concurrency, hostname, trackStarted: config.trackStarted });
  worker.start();
  const health = openHealth(config.healthPort);

  const signal = await new Promise<string>((resolve) => {
    for (const each of ['SIGTERM', 'SIGINT'] as const) process.once(each, () => resolve(each));
  });
  log.info({ signal, running: worker.busy, drainMs: config.drainMs }, 'the worker ends; it takes nothing more');
  const isClean = await worker.drain(config.drainMs);
  await threads.close();
  if (!isClean)
    await broker
      .retire(podUid)
      .catch((error: unknown) => log.warn({ err: error }, 'could not hand back what still ran'));
  await lease.end();
  consumer.close();
  health?.close();
  client.disconnect();
  resultsClient.disconnect();
  log.info({ isClean }, 'the worker has ended');
}

try {
  await run(parseConfig(process.env));
  process.exit(0);
} catch (error) {
  if (error instanceof ConfigError) log.fatal(error.message);
  else log.fatal({ err: error }, 'the worker cannot run');
  process.exit(1);
}
