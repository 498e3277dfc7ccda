import { type Demand, sumDemand } from './demand.ts';

/** How a pool's number of pods is to be chosen. */
export type ScalingSpec =
  | { readonly kind: 'Fixed'; readonly replicas: number }
  | {
      readonly kind: 'Auto';
      readonly minReplicas: number;
      readonly maxReplicas: number;
      /** Places for running tasks in one pod. */
      readonly slotsPerReplica: number;
      /** Tasks that may wait or run for each slot before another pod is wanted. */
      readonly tasksPerSlot: number;
      readonly scaleDownDelayMs: number;
    };

export interface ScalingObservation {
  /** Absent while the depth of a queue is not known. */
  readonly demand?: Demand;
  /** Pods asked for now. */
  readonly replicas: number;
  /** Pods that the decision before asked for; absent at the first. */
  readonly asked?: number;
}

/** So long pods outlast their work whatever the delay: between two steps of a chain there is none for a moment. */
const leastDelayMs = 1_000;

/**
 * What was wanted of late, within `scaleDownDelay`: numbers of pods with the time until which each was wanted, the
 * largest and oldest first. Only a number that was not exceeded for the whole delay lets pods go.
 */
export type ScalingHistory = readonly { readonly wanted: number; readonly untilMs: number }[];

export type ScalingReason =
  'Fixed' | 'Demand' | 'NoDemand' | 'MinReplicas' | 'MaxReplicas' | 'ScaleDownDelay' | 'UnknownDepth';

export type ScalingLimit = 'WithinBounds' | 'TooManyReplicas' | 'TooFewReplicas' | 'NotAutoscaled' | 'UnknownDepth';

export interface ScalingVerdict {
  readonly replicas: number;
  readonly reason: ScalingReason;
  /** Whether a bound kept the number from what the work asks for. */
  readonly limit: ScalingLimit;
  /** To be handed in at the next call. */
  readonly history: ScalingHistory;
  /** When the verdict changes although nothing else does. Milliseconds of the same clock. */
  readonly lookAgainAtMs?: number;
}

/**
 * How many pods a pool is to have: enough for its demand, within its bounds, up at once and down after the delay. While
 * the demand is not known the number is held. Without a history the present number counts as wanted until now, and so
 * does one that somebody else raised: two who lead at once, and see different things, must not undo each other's work
 * as fast as they can.
 */
export function decide(
  spec: ScalingSpec,
  seen: ScalingObservation,
  history: ScalingHistory | undefined,
  nowMs: number,
): ScalingVerdict {
  if (spec.kind === 'Fixed') {
    return { replicas: spec.replicas, reason: 'Fixed', limit: 'NotAutoscaled', history: [] };
  }
  const delayMs = Math.max(leastDelayMs, spec.scaleDownDelayMs);
  const isNews = history === undefined || seen.replicas > (seen.asked ?? seen.replicas);
  const known = continuedUntil(history ?? [], nowMs, delayMs);
  const past = isNews ? extend(known, seen.replicas, nowMs) : known;
  if (seen.demand === undefined) {
    const replicas = clamp(seen.replicas, spec);
    return { replicas, reason: 'UnknownDepth', limit: 'UnknownDepth', history: extend(past, replicas, nowMs) };
  }
  const asked = Math.ceil(sumDemand(seen.demand) / (spec.slotsPerReplica * spec.tasksPerSlot));
  const wanted = clamp(asked, spec);
  const next = extend(past, wanted, nowMs);
  const peak = next[0] ?? { wanted, untilMs: nowMs };
  // Of the pods that there are, as many stay as were wanted at any time within the delay.
  const kept = Math.min(peak.wanted, seen.replicas);
  if (kept <= wanted)
    return { replicas: wanted, reason: reasonOf(asked, wanted), limit: limitOf(asked, wanted), history: next };
  const lookAgainAtMs = peak.untilMs + delayMs;
  return {
    replicas: clamp(kept, spec),
    reason: 'ScaleDownDelay',
    limit: limitOf(asked, wanted),
    history: next,
    lookAgainAtMs,
  };
}

/** The newest number was wanted until now; what lies behind the delay no longer counts. */
function continuedUntil(history: ScalingHistory, nowMs: number, delayMs: number): ScalingHistory {
  return history
    .map((entry, at) => (at === history.length - 1 ? { ...entry, untilMs: nowMs } : entry))
    .filter(({ untilMs }) => untilMs > nowMs - delayMs);
}

/** Adds the newest number; smaller ones before it can never be the peak again. */
function extend(history: ScalingHistory, wanted: number, nowMs: number): ScalingHistory {
  return [...history.filter((entry) => entry.wanted > wanted), { wanted, untilMs: nowMs }];
}

function clamp(replicas: number, { minReplicas, maxReplicas }: { minReplicas: number; maxReplicas: number }): number {
  return Math.min(maxReplicas, Math.max(minReplicas, replicas));
}

function reasonOf(asked: number, wanted: number): ScalingReason {
  if (asked > wanted) return 'MaxReplicas';
  if (asked < wanted) return 'MinReplicas';
  return wanted === 0 ? 'NoDemand' : 'Demand';
}

function limitOf(asked: number, wanted: number): ScalingLimit {
  if (asked > wanted) return 'TooManyReplicas';
  return asked < wanted ? 'TooFewReplicas' : 'WithinBounds';
}
