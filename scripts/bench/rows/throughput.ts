import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { benchQueue, type Bench } from '../bench.ts';
import { mapOf } from '../canvases.ts';
import { celeryQueue } from '../celery-peer.ts';
import { cpuSeconds } from '../process-usage.ts';
import type { Row, Values } from '../row.ts';

const ourTasks = 20_000;
const theirTasks = 3000;
const published = 50_000;
const A_CALL = 500;
const LOOK_AGAIN_MS = 5;
const DRAINED_WITHIN_MS = 120_000;

/** Tasks and messages per second. */
export const throughputRow: Row = {
  id: 'throughput',
  figures: () => [
    {
      key: 'worker',
      what: 'plain tasks through one worker, messages there beforehand',
      unit: '/s',
      better: 'Higher',
      note: 'one process of ours beside one Celery worker with two processes; results stored by both',
    },
    { key: 'threads', what: 'the same, each task in a thread of its own', unit: '/s', better: 'Higher' },
    {
      key: 'operator',
      what: 'tasks through the operator and a worker, one map of 20,000',
      unit: '/s',
      better: 'Higher',
      target: 12_000,
      note: 'the whole way from the POST to Succeeded seen by a watch; beside it Celery without a group',
    },
    { key: 'operatorCpu', what: 'processor time a task of that map: operator', unit: 'µs', better: 'Lower' },
    { key: 'workerCpu', what: 'processor time a task of that map: worker', unit: 'µs', better: 'Lower' },
    {
      key: 'publishing',
      what: 'publishing, 500 messages a call',
      unit: '/s',
      better: 'Higher',
      target: 50_000,
      note: 'through our broker port; Celery publishes one message a call, as apply_async does',
    },
  ],
  ours: async (bench) => ({
    ...(await workerRates(bench)),
    ...(await operatorRate(bench)),
    publishing: await publishingRate(bench),
  }),
  peer: async (peer) => {
    await drained(peer.redisUrl, celeryQueue, 'noop', 500);
    const worker = await drained(peer.redisUrl, celeryQueue, 'noop', theirTasks);
    const { perSecond } = await peer.drive<{ perSecond: number }>('publish', theirTasks);
    return { worker, threads: worker, operator: worker, publishing: perSecond };
  },
};

async function workerRates({ redisUrl }: Bench): Promise<{ worker: number; threads: number }> {
  await drained(redisUrl, benchQueue, 'noop', 2000);
  const worker = await drained(redisUrl, benchQueue, 'noop', ourTasks);
  await drained(redisUrl, benchQueue, 'noop_in_thread', 1000);
  return { worker, threads: await drained(redisUrl, benchQueue, 'noop_in_thread', ourTasks / 4) };
}

async function operatorRate({ feed, operatorPid, workerPid }: Bench): Promise<Values> {
  const before = { operator: cpuSeconds(operatorPid), worker: cpuSeconds(workerPid) };
  const { sentToEndMs } = await feed.run(`map-${ourTasks}`, mapOf(ourTasks));
  const microseconds = (pid: number, from: number): number => ((cpuSeconds(pid) - from) / ourTasks) * 1e6;
  return {
    operator: (ourTasks / sentToEndMs) * 1000,
    operatorCpu: microseconds(operatorPid, before.operator),
    workerCpu: microseconds(workerPid, before.worker),
  };
}

async function publishingRate({ redis }: Bench): Promise<number> {
  const queue = 'bench-nobody';
  const broker = new RedisBroker({ client: redis, prefix: '' });
  const started = performance.now();
  for (let sent = 0; sent < published; sent += A_CALL) {
    const texts = Array.from({ length: A_CALL }, () => message(queue, 'noop', randomUUID()));
    await broker.publish(texts.map((text) => ({ queue, priority: 0, text })));
  }
  const tookMs = performance.now() - started;
  await redis.del(queue, `arp:bell:${queue}`);
  return (published / tookMs) * 1000;
}

/** Tasks per second: all messages appear in the queue at one moment, and it ends when every result stands in Redis. */
async function drained(redisUrl: string, queue: string, task: string, tasks: number): Promise<number> {
  const redis = new Redis(redisUrl);
  try {
    const ids = Array.from({ length: tasks }, () => randomUUID());
    const staging = `${queue}:staging`;
    for (let sent = 0; sent < tasks; sent += A_CALL) {
      await redis.lpush(staging, ...ids.slice(sent, sent + A_CALL).map((id) => message(queue, task, id)));
    }
    const started = performance.now();
    await redis.rename(staging, queue);
    await untilStored(redis, queue, ids);
    return (tasks / (performance.now() - started)) * 1000;
  } finally {
    redis.disconnect();
  }
}

async function untilStored(redis: Redis, queue: string, ids: readonly string[]): Promise<void> {
  const endMs = performance.now() + DRAINED_WITHIN_MS;
  let left = ids;
  while (left.length > 0) {
    const some = left.slice(-A_CALL).map((id) => `celery-task-meta-${id}`);
    // Looking for results while there are messages would only take time from who works.
    const isStored = (await redis.llen(queue)) === 0 && (await redis.exists(...some)) === some.length;
    if (isStored) left = left.slice(0, -A_CALL);
    else if (performance.now() > endMs) throw new Error(`${left.length} tasks of ${queue} have no result yet`);
    else await sleep(LOOK_AGAIN_MS);
  }
}

function message(queue: string, task: string, id: string): string {
  const empty = { argsText: '[]' as JsonText, kwargsText: '{}' as JsonText };
  return encodeTaskMessage({ id, task, ...empty, queue, deliveryTag: randomUUID() });
}
