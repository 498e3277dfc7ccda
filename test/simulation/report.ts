import type { SeedResult } from './seed-run.ts';

/** What many seeds came to. */
export interface Tally {
  seeds: number;
  happenings: number;
  virtualMs: number;
  /** How often each kind of fault struck, over all seeds. */
  readonly faults: Record<string, number>;
  /** How often each pair of state and event occurred. */
  readonly coverage: Record<string, number>;
  readonly failures: { readonly seed: number; readonly violation: string; readonly faults: readonly string[] }[];
}

export function emptyTally(): Tally {
  return { seeds: 0, happenings: 0, virtualMs: 0, faults: {}, coverage: {}, failures: [] };
}

export function count(tally: Tally, result: SeedResult): void {
  tally.seeds += 1;
  tally.happenings += result.happenings;
  tally.virtualMs += result.endedAtMs;
  for (const { key } of result.struck) add(tally.faults, key.slice(0, key.search(/[@!]/)), 1);
  for (const [pair, times] of result.coverage) add(tally.coverage, pair, times);
  if (result.violation !== undefined) {
    const faults = result.struck.map(({ key }) => key);
    tally.failures.push({ seed: result.seed, violation: result.violation, faults });
  }
}

export function merge(into: Tally, other: Tally): void {
  into.seeds += other.seeds;
  into.happenings += other.happenings;
  into.virtualMs += other.virtualMs;
  for (const [kind, times] of Object.entries(other.faults)) add(into.faults, kind, times);
  for (const [pair, times] of Object.entries(other.coverage)) add(into.coverage, pair, times);
  into.failures.push(...other.failures);
}

function add(counts: Record<string, number>, name: string, times: number): void {
  counts[name] = (counts[name] ?? 0) + times;
}
