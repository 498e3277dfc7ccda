import { percentile } from '../percentile.ts';
import type { Bench } from '../bench.ts';
import type { CeleryPeer } from '../celery-peer.ts';
import type { Row, Values } from '../row.ts';
import { openProbe } from '../probe.ts';

const chains = 60;
const length = 10;
const probeChains = 10;
const probeLength = 100;

/** From the end of a step to the next: by what the tasks saw, and by what a bare consumer of the queue sees. */
export const stepRow: Row = {
  id: 'step',
  figures: () => [
    { key: 'claimable50', what: 'task end → next step claimable, p50', unit: 'ms', better: 'Lower', target: 1 },
    { key: 'claimable99', what: 'task end → next step claimable, p99', unit: 'ms', better: 'Lower', target: 10 },
    { key: 'starts50', what: 'task end → next task runs, p50', unit: 'ms', better: 'Lower' },
    { key: 'starts99', what: 'task end → next task runs, p99', unit: 'ms', better: 'Lower' },
  ],
  ours: async (bench) => ({ ...(await claimable(bench)), ...(await starts(bench)) }),
  peer: async (peer: CeleryPeer) => {
    await peer.drive('stamped', 10, length);
    const { gaps } = await peer.drive<{ gaps: number[] }>('stamped', chains, length);
    return { starts50: percentile(gaps, 0.5), starts99: percentile(gaps, 0.99) };
  },
};

async function starts(bench: Bench): Promise<Values> {
  const gaps: number[] = [];
  const chain = [{ task: 'stamp' }, ...Array.from({ length: length - 1 }, () => ({ task: 'stamp' }))];
  for (let index = -10; index < chains; index += 1) {
    const { status } = await bench.feed.run(`stamped-${String(index).replace('-', 'warm')}`, { chain });
    if (index >= 0) gaps.push(...gapsOf(status.result as [number, number][]));
  }
  return { starts50: percentile(gaps, 0.5), starts99: percentile(gaps, 0.99) };
}

function gapsOf(stamps: readonly (readonly [began: number, ended: number])[]): number[] {
  return stamps.slice(1).map(([began], index) => began - (stamps[index]?.[1] ?? Number.NaN));
}

/** The benchmark is the worker here: one connection that pops, one that stores, and nothing in between. */
async function claimable(bench: Bench): Promise<Values> {
  const probe = await openProbe(bench);
  try {
    for (let index = -2; index < probeChains; index += 1) {
      if (index === 0) probe.gapsMs.length = 0;
      const chain = Array.from({ length: probeLength }, () => ({ task: 'noop', immutable: true, queue: 'probe' }));
      await bench.feed.run(`probe-${String(index).replace('-', 'warm')}`, { chain });
    }
    return { claimable50: percentile(probe.gapsMs, 0.5), claimable99: percentile(probe.gapsMs, 0.99) };
  } finally {
    await probe.close();
  }
}
