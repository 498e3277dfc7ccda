/** What a ReplicaSet looks at when it has a pod too many. */
export interface RankedPod {
  readonly uid: string;
  readonly isScheduled: boolean;
  readonly isRunning: boolean;
  readonly isReady: boolean;
  /** Of `controller.kubernetes.io/pod-deletion-cost`; 0 without. */
  readonly deletionCost: number;
  readonly readyForMs: number;
  readonly restarts: number;
  readonly ageMs: number;
}

type Comparison = (one: RankedPod, other: RankedPod) => number;

/** In Kubernetes' order (`ActivePodsWithRanks.Less`, without ranks of nodes): what decides first stands first. */
const comparisons: readonly Comparison[] = [
  (one, other) => Number(one.isScheduled) - Number(other.isScheduled),
  (one, other) => Number(one.isRunning) - Number(other.isRunning),
  (one, other) => Number(one.isReady) - Number(other.isReady),
  (one, other) => one.deletionCost - other.deletionCost,
  // Younger first, but ages are compared by their magnitude, so that chance has a say among those of about one age.
  (one, other) => magnitude(one.readyForMs) - magnitude(other.readyForMs),
  (one, other) => other.restarts - one.restarts,
  (one, other) => magnitude(one.ageMs) - magnitude(other.ageMs),
  (one, other) => (one.uid < other.uid ? -1 : 1),
];

/** The pods in the order in which a ReplicaSet lets them go. */
export function inScaleDownOrder<T extends RankedPod>(pods: readonly T[]): readonly T[] {
  return pods.toSorted((one, other) => {
    for (const compare of comparisons) {
      const order = compare(one, other);
      if (order !== 0) return order;
    }
    return 0;
  });
}

function magnitude(ms: number): number {
  return Math.floor(Math.log2(Math.max(1, ms)));
}
