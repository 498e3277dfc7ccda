import { inScaleDownOrder } from './scale-down-order.ts';
import type { SimulatedPod } from './simulated-pod.ts';

/** What is next on the way from the pods that there are to those that are wanted. */
export interface PlannedPods {
  readonly coming: number;
  readonly leaving: readonly SimulatedPod[];
}

/** As a rolling update with a surge and an unavailability of a quarter goes on; without old pods it is plain scaling. */
export function plannedPods(
  active: readonly SimulatedPod[],
  { hash, replicas, nowMs }: { readonly hash: string; readonly replicas: number; readonly nowMs: number },
): PlannedPods {
  const fresh = active.filter((pod) => pod.hash === hash);
  const old = active.filter((pod) => pod.hash !== hash);
  const most = replicas + (old.length === 0 ? 0 : Math.ceil(replicas / 4));
  const coming = Math.max(0, Math.min(replicas - fresh.length, most - active.length));
  const least = replicas - Math.floor(replicas / 4);
  const ready = active.filter(({ isReady }) => isReady).length;
  const unready = old.filter(({ isReady }) => !isReady).length;
  const spare = old.length === 0 ? 0 : Math.min(old.length, unready + Math.max(0, ready - least));
  const leaving = [...firstOf(old, spare, nowMs), ...firstOf(fresh, fresh.length - replicas, nowMs)];
  return { coming, leaving };
}

function firstOf(pods: readonly SimulatedPod[], count: number, nowMs: number): readonly SimulatedPod[] {
  if (count <= 0) return [];
  return inScaleDownOrder(pods.map((pod) => pod.rankAt(nowMs)))
    .slice(0, count)
    .map(({ pod }) => pod);
}
