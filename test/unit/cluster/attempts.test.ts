import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { attempted } from '../../cluster/attempts.ts';

describe('what rests on the network', () => {
  let told: string[];
  beforeEach(() => {
    told = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      told.push(String(text));
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  test.each([
    { failures: 0, attempts: 1 },
    { failures: 1, attempts: 2 },
    { failures: 2, attempts: 3 },
  ])('is done once it no longer fails: after $failures failures', async ({ failures, attempts }) => {
    let count = 0;
    const work = (): Promise<number> => {
      count += 1;
      return count <= failures ? Promise.reject(new Error('no route')) : Promise.resolve(count);
    };
    expect(await attempted('apt-get', work, [0, 0])).toBe(attempts);
    expect(told).toHaveLength(failures);
  });

  test('is given up after the last pause, with the last failure, and each earlier one told', async () => {
    const work = vi.fn().mockRejectedValueOnce(new Error('first')).mockRejectedValue(new Error('last'));
    await expect(attempted('npm', work, [0])).rejects.toThrow('last');
    expect(work).toHaveBeenCalledTimes(2);
    expect(told).toEqual(['arpeggio: npm failed (attempt 1 of 2); trying again in 0 s: first\n']);
  });
});
