import type { Redis } from 'ioredis';
import { collectionPath, resources } from '#io/kube/resource.ts';
import { peakWhile } from '../peak.ts';
import { cpuSeconds, residentMb } from '../process-usage.ts';
import type { Row } from '../row.ts';

const members = 100_000;
const WITHIN_MS = 180_000;

/** The widest fan-out that a Workflow may have, and what it costs whoever holds a part of it. */
export const mapRow: Row = {
  id: 'map',
  figures: ({ celeryMembers }) => [
    {
      key: 'ended',
      what: 'map of 100,000 no-ops, POST → Succeeded seen by a watch',
      unit: 's',
      better: 'Lower',
      note: `beside it Celery's group of ${celeryMembers.toLocaleString('en-US')}, its time multiplied in proportion, which is in its favour`,
    },
    { key: 'rss', what: 'its operator, resident memory at most', unit: 'MB', better: 'Lower', target: 400 },
    { key: 'operatorCpu', what: "its operator's processor time a member", unit: 'µs', better: 'Lower' },
    { key: 'object', what: 'its Workflow in the API server at the end', unit: 'KiB', better: 'Lower', target: 64 },
    { key: 'redis', what: 'its Redis at most, beyond what it used before', unit: 'MB', better: 'Lower' },
  ],
  ours: async ({ feed, api, namespace, redis, operatorPid }) => {
    await feed.run('map-warm', { map: { task: 'noop', range: 1000 } });
    const before = { redis: await usedMb(redis), cpu: cpuSeconds(operatorPid) };
    let rss = 0;
    const sample = async (): Promise<number> => {
      rss = Math.max(rss, residentMb(operatorPid));
      return usedMb(redis);
    };
    const spec = { map: { task: 'noop', range: members } };
    const { peak, value } = await peakWhile(sample, () => feed.run('map', spec, WITHIN_MS));
    const object = await api.expect('GET', `${collectionPath(resources.workflows, namespace.name)}/map`);
    return {
      ended: value.sentToEndMs / 1000,
      rss,
      operatorCpu: ((cpuSeconds(operatorPid) - before.cpu) / members) * 1e6,
      object: JSON.stringify(object).length / 1024,
      redis: peak - before.redis,
    };
  },
  peer: async (peer) => {
    const { celeryMembers } = peer.options;
    const { ms } = await peer.drive<{ ms: number }>('groups', celeryMembers);
    return { ended: ((ms / 1000) * members) / celeryMembers };
  },
};

async function usedMb(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]) / 1e6;
}
