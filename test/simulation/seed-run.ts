import { Chance } from './kernel/chance.ts';
import type { FaultKind, Struck } from './kernel/faults.ts';
import { drawSwarm, type Swarm } from './swarm.ts';
import { World, type WorldOptions } from './world.ts';

/** What became of one seed. */
export interface SeedResult {
  readonly seed: number;
  /** What promise was broken and how; undefined when all were kept. */
  readonly violation: string | undefined;
  readonly hash: number;
  readonly happenings: number;
  /** Virtual time. */
  readonly endedAtMs: number;
  readonly struck: readonly Struck[];
  readonly coverage: ReadonlyMap<string, number>;
}

export interface SeedOptions extends Partial<Omit<WorldOptions, 'seed' | 'swarm'>> {
  /** Only these kinds of faults are drawn; absent: the swarm decides. */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** Redis may forget, in part or wholly. */
  readonly forgets?: boolean;
  /** Every world has a pool. */
  readonly pools?: boolean | undefined;
  /** Changes what the swarm drew. */
  readonly swarm?: (drawn: Swarm) => Swarm;
}

/** One world from its beginning to its end. The same seed and options give the same hash. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const { kinds, forgets, pools, swarm: change, ...rest } = options;
  const drawn = drawSwarm(new Chance(seed, 'swarm'), { kinds, forgets, pools });
  const world = new World({ ...rest, seed, swarm: change?.(drawn) ?? drawn });
  const mend = rest.spoil?.();
  const violation = await world
    .run()
    .then(
      () => undefined,
      (error: unknown) =>
        error instanceof Error ? (error.name === 'Violation' ? error.message : error.stack) : String(error),
    )
    .finally(mend);
  const { timeline, faults, oracle } = world;
  return {
    seed,
    violation,
    hash: timeline.hash >>> 0,
    happenings: timeline.count,
    endedAtMs: timeline.nowMs,
    struck: faults.struck,
    coverage: oracle.coverage.counts,
  };
}
