import { describe, expect, test } from 'vitest';
import { runSeeds } from './many-seeds.ts';

/** As many as two cores run in about a minute; `npm run simulate` runs more. */
const count = Number(process.env['SIMULATION_SEEDS'] ?? 10_000);

describe('the engine, in simulated worlds', () => {
  test(`keeps every promise in ${count} of them`, async () => {
    const { seeds, failures, faults } = await runSeeds({ from: 1, count });
    const commands = failures.map(({ seed, violation }) => `npm run simulate -- --seed ${seed} --trace: ${violation}`);
    expect(commands).toEqual([]);
    expect(seeds).toBe(count);
    // Worlds in which nothing goes wrong would prove nothing.
    const struck = Object.values(faults).reduce((sum, times) => sum + times, 0);
    expect(struck).toBeGreaterThan(count);
  }, 1_800_000);

  test('goes the same way twice under the same seed', async () => {
    const { seeds, failures } = await runSeeds({ from: 50_001, count: 200, twice: true });
    expect(failures).toEqual([]);
    expect(seeds).toBe(200);
  }, 120_000);
});
