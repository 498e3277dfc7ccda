import { chainOf, groupOf } from '../canvases.ts';
import { benchQueue } from '../bench.ts';
import { celeryQueue } from '../celery-peer.ts';
import { median } from '../percentile.ts';
import { RedisObserver } from '../redis-observer.ts';
import type { Row } from '../row.ts';

const length = 10;
const times = 40;
const warmUps = 10;

/** A chain of ten no-ops, seen from Redis and from the Kubernetes API. */
export const chainRow: Row = {
  id: 'chain',
  figures: () => [
    {
      key: 'redis',
      what: 'chain of 10 no-ops, published → finished',
      unit: 'ms',
      better: 'Lower',
      target: 12,
      note: "from the first message's push to the announcement of the final result, both seen by one connection; median",
    },
    {
      key: 'api',
      what: 'chain of 10 no-ops, POST accepted → Succeeded seen by a watch',
      unit: 's',
      better: 'Lower',
      target: 0.15,
    },
    {
      key: 'reduce',
      what: 'group of 100, then a reduce, POST accepted → Succeeded',
      unit: 's',
      better: 'Lower',
      target: 0.1,
    },
  ],
  ours: async ({ feed, redisUrl }) => {
    for (let index = 0; index < warmUps; index += 1) await feed.run(`chain-warm-${index}`, chainOf(length));
    const apiMs: number[] = [];
    const redis = await observed(redisUrl, benchQueue, async () => {
      const ids: string[] = [];
      for (let index = 0; index < times; index += 1) {
        const { status, acceptedToEndMs } = await feed.run(`chain-${index}`, chainOf(length));
        ids.push(status.resultTaskId ?? '');
        apiMs.push(acceptedToEndMs);
      }
      return ids;
    });
    const reduceMs: number[] = [];
    for (let index = 0; index < times / 2; index += 1) {
      const spec = { chain: [groupOf(100), { task: 'count' }] };
      reduceMs.push((await feed.run(`reduce-${index}`, spec)).acceptedToEndMs);
    }
    return { redis, api: median(apiMs) / 1000, reduce: median(reduceMs) / 1000 };
  },
  peer: async (peer) => {
    await peer.drive('chains', warmUps, length);
    const redis = await observed(peer.redisUrl, celeryQueue, async () => {
      return (await peer.drive<{ ids: string[] }>('chains', times, length)).ids;
    });
    return { redis };
  },
};

/** The median of what Redis saw of runs that follow one another; `run` returns the ids of their final results. */
async function observed(redisUrl: string, queue: string, run: () => Promise<readonly string[]>): Promise<number> {
  const observer = await RedisObserver.open(redisUrl, queue);
  try {
    return median(await observer.spansMs(await run()));
  } finally {
    await observer.close();
  }
}
