import { chainOf, mapOf } from '../canvases.ts';
import { percentile } from '../percentile.ts';
import type { Row } from '../row.ts';

const wide = 50_000;
const times = 10;

/** A small workflow beside a large one that wants the same queue and worker. */
export const fairRow: Row = {
  id: 'fair',
  figures: () => [
    {
      key: 'chain',
      what: `chain of 10 beside a map of ${wide.toLocaleString('en-US')}, POST accepted → Succeeded`,
      unit: 'ms',
      better: 'Lower',
      note: 'one after the other while the map keeps the only worker busy; median',
    },
  ],
  ours: async ({ feed }) => {
    await feed.create('fair-wide', mapOf(wide));
    const isOver = feed.ended('fair-wide', 120_000).then(() => true);
    const tookMs: number[] = [];
    for (let index = 0; index < times; index += 1) {
      const { acceptedToEndMs } = await feed.run(`fair-${index}`, chainOf(10));
      if (await Promise.race([isOver, Promise.resolve(false)])) break;
      tookMs.push(acceptedToEndMs);
    }
    await isOver;
    return { chain: percentile(tookMs, 0.5) };
  },
};
