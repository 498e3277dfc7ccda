import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { cpuSeconds, residentMb } from '../process-usage.ts';
import type { Row } from '../row.ts';

const FOR_MS = 10_000;

/** What stands still costs. Measured before anything has run. */
export const idleRow: Row = {
  id: 'idle',
  figures: () => [
    { key: 'operatorCpu', what: 'operator idle, share of one core', unit: '%', better: 'Lower', target: 1 },
    { key: 'operatorRss', what: 'operator idle, resident memory', unit: 'MB', better: 'Lower', target: 150 },
    { key: 'workerCpu', what: 'worker idle, share of one core', unit: '%', better: 'Lower' },
    { key: 'workerRss', what: 'worker idle, resident memory', unit: 'MB', better: 'Lower' },
    {
      key: 'commands',
      what: 'Redis commands while operator and worker are idle',
      unit: '/s',
      better: 'Lower',
      note: "by Redis' own count, of operator and worker together",
    },
  ],
  ours: async ({ operatorPid, workerPid, redis }) => {
    const before = {
      operator: cpuSeconds(operatorPid),
      worker: cpuSeconds(workerPid),
      commands: await commands(redis),
    };
    await sleep(FOR_MS);
    const share = (pid: number, from: number): number => ((cpuSeconds(pid) - from) / (FOR_MS / 1000)) * 100;
    return {
      operatorCpu: share(operatorPid, before.operator),
      operatorRss: residentMb(operatorPid),
      workerCpu: share(workerPid, before.worker),
      workerRss: residentMb(workerPid),
      commands: ((await commands(redis)) - before.commands - 1) / (FOR_MS / 1000),
    };
  },
};

async function commands(redis: Redis): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
}
