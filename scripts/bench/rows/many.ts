import { residentMb } from '../process-usage.ts';
import type { Row } from '../row.ts';

const workflows = 1000;
const AT_ONCE = 32;

/** Many small Workflows at once, and what the operator weighs after all of it. */
export const manyRow: Row = {
  id: 'many',
  figures: () => [
    { key: 'post', what: '1,000 one-task workflows, first POST → last POST', unit: 's', better: 'Lower' },
    {
      key: 'ended',
      what: '1,000 one-task workflows, last POST → all Succeeded seen by a watch',
      unit: 's',
      better: 'Lower',
      target: 6,
    },
    { key: 'rss', what: 'operator after all of the above, resident memory', unit: 'MB', better: 'Lower', target: 400 },
  ],
  ours: async ({ feed, operatorPid }) => {
    const names = Array.from({ length: workflows }, (_, index) => `many-${index}`);
    const ended = names.map((name) => feed.ended(name, 300_000));
    const started = performance.now();
    const waiting = names.values();
    const post = async (): Promise<void> => {
      for (const name of waiting) await feed.create(name, { task: 'noop' });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, post));
    const posted = performance.now();
    const all = await Promise.all(ended);
    const failed = all.filter(({ status }) => status.state !== 'Succeeded').length;
    if (failed > 0) throw new Error(`${failed} of ${workflows} workflows did not succeed`);
    const last = Math.max(...all.map(({ atMs }) => atMs));
    return { post: (posted - started) / 1000, ended: (last - posted) / 1000, rss: residentMb(operatorPid) };
  },
};
