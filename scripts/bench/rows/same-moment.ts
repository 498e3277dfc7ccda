import { Claimer } from '../claimer.ts';
import type { Row } from '../row.ts';

const workflows = 1000;
const AT_ONCE = 32;
const WITHIN_MS = 120_000;

/** Many Workflows that end at once: each is a status to be written. */
export const sameMomentRow: Row = {
  id: 'same-moment',
  figures: () => [
    {
      key: 'ended',
      what: '1,000 workflows whose tasks end in one moment → all Succeeded seen by a watch',
      unit: 's',
      better: 'Lower',
      target: 6,
      note: 'the benchmark is the worker: it stores all the results in one go',
    },
  ],
  ours: async ({ feed, redisUrl }) => {
    const names = Array.from({ length: workflows }, (_, index) => `moment-${index}`);
    const ended = names.map((name) => feed.ended(name, WITHIN_MS));
    const claimer = new Claimer(redisUrl);
    try {
      const waiting = names.values();
      const post = async (): Promise<void> => {
        for (const name of waiting) await feed.create(name, { task: 'noop', queue: 'probe' });
      };
      const [ids] = await Promise.all([claimer.claim(workflows, WITHIN_MS), ...Array.from({ length: AT_ONCE }, post)]);
      const startedMs = performance.now();
      await claimer.answer(ids);
      const last = Math.max(...(await Promise.all(ended)).map(({ atMs }) => atMs));
      return { ended: (last - startedMs) / 1000 };
    } finally {
      claimer.close();
    }
  },
};
