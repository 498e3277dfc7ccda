import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../test/cluster/kube-api.ts';
import type { Bench } from '../bench.ts';
import { cpuSeconds, residentMb } from '../process-usage.ts';
import type { Row } from '../row.ts';

const workflows = 10_000;
const AT_ONCE = 32;
const WITHIN_MS = 300_000;
/** An operator that uses less than this of a core has nothing left to catch up with. */
const STEADY_SHARE = 0.1;
const LOOK_MS = 1000;

/** Workflows that wait all together for a queue that nobody serves. Leaves them behind: nothing is measured after it. */
export const liveRow: Row = {
  id: 'live',
  isHeavy: true,
  figures: () => [
    { key: 'rss', what: '10,000 live workflows: operator, resident memory', unit: 'MB', better: 'Lower', target: 500 },
    {
      key: 'restart',
      what: '10,000 live workflows: operator restarted → steady',
      unit: 's',
      better: 'Lower',
      target: 30,
      note: 'from the end of the old process; steady: another workflow has run, and it uses less than a tenth of a core',
    },
  ],
  ours: async (bench) => {
    const { feed, namespace, operators } = bench;
    await namespace.create('TaskQueue', 'nobody', {});
    const names = Array.from({ length: workflows }, (_, index) => `live-${index}`).values();
    const post = async (): Promise<void> => {
      for (const name of names)
        await feed.create(name, { chain: [{ task: 'noop', queue: 'nobody' }, { task: 'noop' }] });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, post));
    await until(`${workflows} tasks are due`, WITHIN_MS, async () => (await dueIn(bench)) === workflows);
    await steady(bench);
    const rss = residentMb(bench.operatorPid);
    await operators.end('SIGTERM');
    const startedMs = performance.now();
    await operators.begin();
    await feed.run('live-after', { task: 'noop' }, WITHIN_MS);
    await steady(bench);
    // The second in which it was seen to be steady is not part of it.
    return { rss, restart: (performance.now() - startedMs - LOOK_MS) / 1000 };
  },
};

/** What the TaskQueue says is waiting or held back. */
async function dueIn({ api, namespace }: Bench): Promise<number> {
  const path = `/apis/arpeggio.dev/v1alpha1/namespaces/${namespace.name}/taskqueues/nobody`;
  const { status } = (await api.expect('GET', path)) as { status?: { waiting?: number; held?: number } };
  return (status?.waiting ?? 0) + (status?.held ?? 0);
}

async function steady({ operators }: Bench): Promise<void> {
  await until('the operator is steady', WITHIN_MS, async () => {
    const before = cpuSeconds(operators.pid);
    await sleep(LOOK_MS);
    return cpuSeconds(operators.pid) - before < (STEADY_SHARE * LOOK_MS) / 1000;
  });
}
