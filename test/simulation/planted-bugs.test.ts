import { describe, expect, test } from 'vitest';
import { runSeeds } from './many-seeds.ts';
import { plantedBugs } from './planted-bugs.ts';

const bugs = Object.entries(plantedBugs).map(([name, { what, within }]) => ({ name, what, within }));

describe('a planted bug', () => {
  test.each(bugs)(
    '$name is found within $within seeds: $what',
    async ({ name, within }) => {
      const { failures } = await runSeeds({ from: 1, count: within, bug: name, endsAtFailure: true });
      const [first] = failures.toSorted((one, other) => one.seed - other.seed);
      expect(first, 'no seed found it').toBeDefined();
      // A promise was broken; an engine that only fell over would prove nothing about the oracle.
      expect(first?.violation).toMatch(/^P\d+: /);
      // The same worlds without the bug keep every promise: it was the bug that was found.
      const healthy = await runSeeds({ from: 1, count: first?.seed ?? 1, bug: name, isHealthy: true });
      expect(healthy.failures).toEqual([]);
      expect(healthy.seeds).toBe(first?.seed);
    },
    900_000,
  );
});
