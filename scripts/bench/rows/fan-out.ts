import type { Bench } from '../bench.ts';
import { chordOf, groupOf } from '../canvases.ts';
import type { CeleryPeer } from '../celery-peer.ts';
import { percentile } from '../percentile.ts';
import type { BenchOptions } from '../bench-options.ts';
import type { Figure, Row } from '../row.ts';

const times = 3;

function figuresOf(what: 'group' | 'chord', { celeryMembers }: BenchOptions): Figure[] {
  const targets = what === 'chord' ? { thousand: 0.2, tenThousand: 1 } : {};
  const scaled =
    celeryMembers === 10_000
      ? {}
      : {
          note: `Celery ran ${celeryMembers.toLocaleString('en-US')} members and its time is multiplied in proportion, which is in its favour; --full runs all`,
        };
  return [
    figure(`${what}1000`, `${what} of 1,000 no-ops, submitted → seen as finished`, targets.thousand),
    {
      ...figure(`${what}10000`, `${what} of 10,000 no-ops, submitted → seen as finished`, targets.tenThousand),
      ...scaled,
    },
  ];
}

function figure(key: string, what: string, target: number | undefined): Figure {
  return { key, what, unit: 's', better: 'Lower', ...(target === undefined ? {} : { target }) };
}

/** Wide groups and chords, from the moment a client starts to submit until it knows that they are finished. */
export const fanOutRow: Row = {
  id: 'fan-out',
  figures: (options) => [...figuresOf('group', options), ...figuresOf('chord', options)],
  ours: async (bench) => ({
    group1000: await medianRun(bench, 'group', 1000),
    chord1000: await medianRun(bench, 'chord', 1000),
    group10000: await medianRun(bench, 'group', 10_000),
    chord10000: await medianRun(bench, 'chord', 10_000),
  }),
  peer: async (peer) => ({ ...(await peerTimes(peer, 'group')), ...(await peerTimes(peer, 'chord')) }),
};

async function medianRun({ feed }: Bench, what: 'group' | 'chord', size: number): Promise<number> {
  const spec = what === 'group' ? groupOf(size) : chordOf(size);
  await feed.run(`${what}-${size}-warm`, spec);
  const tookMs: number[] = [];
  for (let index = 0; index < times; index += 1) {
    tookMs.push((await feed.run(`${what}-${size}-${index}`, spec)).sentToEndMs);
  }
  return percentile(tookMs, 0.5) / 1000;
}

async function peerTimes(peer: CeleryPeer, what: 'group' | 'chord'): Promise<Record<string, number>> {
  const thousand = (await peer.drive<{ ms: number }>(`${what}s`, 1000)).ms / 1000;
  const size = peer.options.celeryMembers;
  const large = size === 1000 ? thousand : (await peer.drive<{ ms: number }>(`${what}s`, size)).ms / 1000;
  return { [`${what}1000`]: thousand, [`${what}10000`]: (large * 10_000) / size };
}
