import { describe, expect, test } from 'vitest';
import { runSeeds } from './many-seeds.ts';
import { neverMet } from './oracle/coverage.ts';

/** As many as two cores run in a quarter of an hour; `npm run simulate` runs others. */
const count = Number(process.env['SIMULATION_SEEDS'] ?? 100_000);
/** In fewer something rare may never occur. */
const enough = 50_000;

describe('the engine, in simulated worlds', () => {
  test(
    `keeps every promise in ${count} of them, and everything that is to be tried occurs`,
    async () => {
      const { seeds, failures, faults, coverage } = await runSeeds({ from: 1, count });
      const commands = failures.map(
        ({ seed, violation }) => `npm run simulate -- --seed ${seed} --trace: ${violation}`,
      );
      expect(commands).toEqual([]);
      expect(seeds).toBe(count);
      // Worlds in which nothing goes wrong would prove nothing.
      const struck = Object.values(faults).reduce((sum, times) => sum + times, 0);
      expect(struck).toBeGreaterThan(count);
      expect(count < enough ? [] : neverMet(faults, coverage)).toEqual([]);
    },
    90 * 60_000,
  );

  test('goes the same way twice under the same seed', async () => {
    const { seeds, failures } = await runSeeds({ from: 50_001, count: 200, twice: true });
    expect(failures).toEqual([]);
    expect(seeds).toBe(200);
  }, 600_000);

  test('are held to trying everything: a world without faults or events is told of', () => {
    expect(neverMet({}, {})).toContain('RedisWiped');
    expect(neverMet({}, {})).toContain('Published × Running');
    expect(neverMet({ RedisWiped: 1 }, { 'Published × Running': 3 })).not.toContain('RedisWiped');
  });
});
