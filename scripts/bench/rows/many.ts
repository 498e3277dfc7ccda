import type { Bench } from '../bench.ts';
import { residentMb } from '../process-usage.ts';
import type { Row } from '../row.ts';

const few = 1000;
const many = 5000;
const AT_ONCE = 32;
const WITHIN_MS = 300_000;

/** Many small Workflows at once, and what the operator weighs after all of it. */
export const manyRow: Row = {
  id: 'many',
  figures: () => [
    { key: 'post1000', what: '1,000 one-task workflows, first POST → last POST', unit: 's', better: 'Lower' },
    {
      key: 'ended1000',
      what: '1,000 one-task workflows, last POST → all Succeeded seen by a watch',
      unit: 's',
      better: 'Lower',
      target: 6,
    },
    { key: 'post5000', what: '5,000 one-task workflows, first POST → last POST', unit: 's', better: 'Lower' },
    {
      key: 'ended5000',
      what: '5,000 one-task workflows, last POST → all Succeeded seen by a watch',
      unit: 's',
      better: 'Lower',
      target: 30,
      note: 'beside it as many tasks of Celery: apply_async of all of them, then their results',
    },
    { key: 'rss', what: 'operator after all of the above, resident memory', unit: 'MB', better: 'Lower', target: 400 },
  ],
  ours: async (bench) => {
    const first = await ended(bench, few);
    const second = await ended(bench, many);
    return {
      post1000: first.postMs / 1000,
      ended1000: first.endedMs / 1000,
      post5000: second.postMs / 1000,
      ended5000: second.endedMs / 1000,
      rss: residentMb(bench.operatorPid),
    };
  },
  peer: async (peer) => {
    const { postMs, endedMs } = await peer.drive<{ postMs: number; endedMs: number }>('many', many);
    return { post5000: postMs / 1000, ended5000: endedMs / 1000 };
  },
};

async function ended({ feed }: Bench, workflows: number): Promise<{ postMs: number; endedMs: number }> {
  const names = Array.from({ length: workflows }, (_, index) => `many-${workflows}-${index}`);
  const endings = names.map((name) => feed.ended(name, WITHIN_MS));
  const started = performance.now();
  const waiting = names.values();
  const post = async (): Promise<void> => {
    for (const name of waiting) await feed.create(name, { task: 'noop' });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, post));
  const posted = performance.now();
  const all = await Promise.all(endings);
  const failed = all.filter(({ status }) => status.state !== 'Succeeded').length;
  if (failed > 0) throw new Error(`${failed} of ${workflows} workflows did not succeed`);
  const last = Math.max(...all.map(({ atMs }) => atMs));
  return { postMs: posted - started, endedMs: last - posted };
}
