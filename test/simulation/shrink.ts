import type { Struck } from './kernel/faults.ts';
import { runSeed, type SeedOptions } from './seed-run.ts';

/**
 * The fewest faults with which a seed still breaks a promise: halves first, then one by one, until leaving out any of
 * them keeps every promise. A seed that fails without any fault gives the empty script.
 */
export async function shrunkScript(
  seed: number,
  struck: readonly Struck[],
  options: SeedOptions = {},
): Promise<readonly string[]> {
  const fails = async (keys: readonly string[]): Promise<boolean> =>
    (await runSeed(seed, { ...options, only: new Set(keys) })).violation !== undefined;
  let script: readonly string[] = [...new Set(struck.map(({ key }) => key))];
  if (!(await fails(script))) return script;
  for (let size = Math.ceil(script.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    script = await without(script, size, fails);
  }
  return script;
}

/** Leaves out runs of so many faults as long as the seed still fails. */
async function without(
  script: readonly string[],
  size: number,
  fails: (keys: readonly string[]) => Promise<boolean>,
): Promise<readonly string[]> {
  let so = script;
  for (let at = 0; at < so.length;) {
    const fewer = [...so.slice(0, at), ...so.slice(at + size)];
    if (await fails(fewer)) so = fewer;
    else at += size;
  }
  return so;
}
