import type { Chance } from '../kernel/chance.ts';
import type { FaultKind } from '../kernel/faults.ts';

/** What the pool of a world is like; times are in milliseconds. */
export interface PoolSwarm {
  /** Slots of one pod. */
  readonly concurrency: number;
  readonly tasksPerSlot: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly scaleDownDelayMs: number;
  readonly drainMs: number;
  /** From a pod's creation until its worker runs, usually. */
  readonly startMs: number;
  readonly pollEveryMs: number;
  /** How long a task usually takes: long ones meet pods that go. */
  readonly taskMs: number;
  /** How often its author changes the bounds. */
  readonly edits: number;
}

/** What can go wrong with pods and depths alone, and how likely it is at most at each occasion. */
export const poolOccasions: Readonly<Partial<Record<FaultKind, number>>> = {
  DepthsRefused: 1,
  TakenUnknown: 1,
  PodStartsLate: 0.5,
  PodEvicted: 0.3,
  PodVanishes: 0.2,
  DeploymentRefused: 0.5,
};

export function drawPool(chance: Chance): PoolSwarm {
  const minReplicas = chance.pick([0, 0, 0, 1, 2]);
  return {
    concurrency: chance.pick([1, 1, 2, 3]),
    tasksPerSlot: chance.pick([1, 1, 2]),
    minReplicas,
    maxReplicas: Math.max(1, minReplicas + chance.between(0, 4)),
    scaleDownDelayMs: chance.pick([0, 0, 1_000, 5_000, 30_000]),
    drainMs: chance.pick([1_000, 5_000, 30_000, 3_600_000]),
    startMs: chance.pick([50, 500, 3_000]),
    pollEveryMs: chance.pick([250, 1_000, 3_000]),
    taskMs: chance.pick([20, 300, 3_000, 10_000]),
    edits: chance.pick([0, 0, 1, 3]),
  };
}
