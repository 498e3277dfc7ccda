import type { Bench } from '../bench.ts';
import { chordOf, groupOf, mapThenReduce } from '../canvases.ts';
import type { CeleryPeer } from '../celery-peer.ts';
import { percentile } from '../percentile.ts';
import type { BenchOptions } from '../bench-options.ts';
import type { Figure, Row } from '../row.ts';

const times = 3;

/** What a client submits: `map` is a chord whose header is said once. */
type FanOut = 'group' | 'chord' | 'map';

const specs = { group: groupOf, chord: chordOf, map: mapThenReduce } as const;
const names = {
  group: (size: string) => `group of ${size} no-ops`,
  chord: (size: string) => `chord of ${size} no-ops`,
  map: (size: string) => `map of ${size} no-ops, then a reduce`,
} as const;

function figuresOf(what: FanOut, { celeryMembers }: BenchOptions): Figure[] {
  const targets = what === 'group' ? {} : { thousand: 0.2, tenThousand: 1 };
  const scaled =
    celeryMembers === 10_000
      ? {}
      : {
          note: `Celery ran ${celeryMembers.toLocaleString('en-US')} members and its time is multiplied in proportion, which is in its favour; --full runs all`,
        };
  return [
    figure(`${what}1000`, `${names[what]('1,000')}, submitted → seen as finished`, targets.thousand),
    {
      ...figure(`${what}10000`, `${names[what]('10,000')}, submitted → seen as finished`, targets.tenThousand),
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
  figures: (options) => [...figuresOf('group', options), ...figuresOf('chord', options), ...figuresOf('map', options)],
  ours: async (bench) => ({
    group1000: await medianRun(bench, 'group', 1000),
    chord1000: await medianRun(bench, 'chord', 1000),
    group10000: await medianRun(bench, 'group', 10_000),
    chord10000: await medianRun(bench, 'chord', 10_000),
    map1000: await medianRun(bench, 'map', 1000),
    map10000: await medianRun(bench, 'map', 10_000),
  }),
  peer: async (peer) => {
    const chord = await peerTimes(peer, 'chord');
    return {
      ...(await peerTimes(peer, 'group')),
      ...chord,
      map1000: chord['chord1000'] ?? Number.NaN,
      map10000: chord['chord10000'] ?? Number.NaN,
    };
  },
};

async function medianRun({ feed }: Bench, what: FanOut, size: number): Promise<number> {
  const spec = specs[what](size);
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
