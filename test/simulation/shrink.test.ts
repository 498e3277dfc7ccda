import { expect, test } from 'vitest';
import { plantedBugs } from './planted-bugs.ts';
import { runSeed } from './seed-run.ts';
import { shrunkScript } from './shrink.ts';

test('a failing seed is brought down to the faults that it takes, and fails with them alone', async () => {
  const { options } = plantedBugs['edgeTriggeredFinish']!;
  for (let seed = 1; ; seed += 1) {
    const { violation, struck } = await runSeed(seed, options);
    if (violation === undefined || struck.length < 2) continue;
    const script = await shrunkScript(seed, struck, options);
    expect(script.length).toBeLessThan(struck.length);
    expect((await runSeed(seed, { ...options, only: new Set(script) })).violation).toBeDefined();
    for (const key of script) {
      const fewer = new Set(script.filter((each) => each !== key));
      expect((await runSeed(seed, { ...options, only: fewer })).violation).toBeUndefined();
    }
    return;
  }
}, 600_000);
