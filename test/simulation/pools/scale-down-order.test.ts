import { expect, test } from 'vitest';
import { inScaleDownOrder, type RankedPod } from './scale-down-order.ts';

const idle: RankedPod = {
  ...{ uid: 'm', isScheduled: true, isRunning: true, isReady: true },
  ...{ deletionCost: 0, readyForMs: 60_000, restarts: 0, ageMs: 60_000 },
};

/** `controller_utils.go` of Kubernetes, `ActivePodsWithRanks.Less`. */
test.each<{ why: string; first: Partial<RankedPod>; then?: Partial<RankedPod> }>([
  { why: 'a pod without a node goes first', first: { isScheduled: false }, then: { isRunning: false } },
  { why: 'then one that does not run', first: { isRunning: false }, then: { isReady: false } },
  { why: 'then one that is not ready, whatever it costs', first: { isReady: false, deletionCost: 9 } },
  { why: 'then the cheapest', first: { deletionCost: -1 }, then: { readyForMs: 1 } },
  { why: 'then one that became ready much later', first: { readyForMs: 1_000 }, then: { restarts: 5 } },
  {
    why: 'among those of about one readiness the one that restarted',
    first: { restarts: 1 },
    then: { readyForMs: 50_000 },
  },
  { why: 'then a much younger one', first: { ageMs: 1_000 } },
  { why: 'and chance, by UID, decides the rest', first: { uid: 'a' }, then: { ageMs: 50_000 } },
])('$why', ({ first, then = {} }) => {
  const [one, other] = [
    { ...idle, ...first },
    { ...idle, ...then },
  ];
  expect(inScaleDownOrder([one, other])[0]).toBe(one);
  expect(inScaleDownOrder([other, one])[0]).toBe(one);
});
