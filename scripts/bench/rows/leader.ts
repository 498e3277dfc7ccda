import type { Bench } from '../bench.ts';
import { Claimer } from '../claimer.ts';
import type { Row } from '../row.ts';

const times = 3;
const WITHIN_MS = 30_000;

/** A run whose operator dies between two steps. */
export const leaderRow: Row = {
  id: 'leader',
  figures: () => [
    {
      key: 'killed',
      what: `leader killed → next step published by the one that stood by, worst of ${times}`,
      unit: 's',
      better: 'Lower',
      target: 5,
      note: 'the task ends just after; the Lease has to run out first',
    },
    {
      key: 'stopped',
      what: `leader stopped → next step published by the one that stood by, worst of ${times}`,
      unit: 's',
      better: 'Lower',
      target: 0.5,
      note: 'from the signal; the task ends when the leader is gone',
    },
  ],
  ours: async (bench) => {
    const tookMs = { SIGKILL: [] as number[], SIGTERM: [] as number[] };
    for (let index = 0; index < times; index += 1) {
      for (const signal of ['SIGKILL', 'SIGTERM'] as const) tookMs[signal].push(await takeOverMs(bench, signal, index));
    }
    return { killed: Math.max(...tookMs.SIGKILL) / 1000, stopped: Math.max(...tookMs.SIGTERM) / 1000 };
  },
};

async function takeOverMs(bench: Bench, signal: 'SIGKILL' | 'SIGTERM', index: number): Promise<number> {
  const { feed, operators, redisUrl } = bench;
  const name = `leader-${signal.toLowerCase()}-${index}`;
  const claimer = new Claimer(redisUrl);
  try {
    await operators.standBy();
    await feed.create(name, {
      chain: [
        { task: 'noop', queue: 'probe' },
        { task: 'noop', queue: 'probe' },
      ],
    });
    const first = await claimer.claim(1, WITHIN_MS);
    const startedMs = performance.now();
    await operators.end(signal);
    await claimer.answer(first);
    const second = await claimer.claim(1, WITHIN_MS);
    const tookMs = performance.now() - startedMs;
    await claimer.answer(second);
    await feed.ended(name, WITHIN_MS);
    return tookMs;
  } finally {
    claimer.close();
  }
}
