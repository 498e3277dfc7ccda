import { describe, expect, test } from 'vitest';
import { runSeeds } from './many-seeds.ts';
import { plantedBugs } from './planted-bugs.ts';

describe('a planted bug', () => {
  test.each(Object.entries(plantedBugs).map(([name, { what, within }]) => ({ name, what, within })))(
    '$name is found within $within seeds: $what',
    async ({ name, within }) => {
      const { seeds, failures } = await runSeeds({ from: 1, count: within, bug: name, endsAtFailure: true });
      expect(failures.length).toBeGreaterThan(0);
      expect(seeds).toBeLessThanOrEqual(within);
    },
    300_000,
  );
});
