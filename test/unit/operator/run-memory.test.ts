import { expect, test } from 'vitest';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import { withSlots } from '#core/workflow/slots.ts';
import { RunMemory } from '#operator/runs/run-memory.ts';
import { push, request, slot } from '../../support/run-requests.ts';

const begunAtMs = 1;
const run = { name: 'w', namespace: 'n', uid: 'u' };
const fixed = {
  uid: 'u',
  round: 0,
  roundsAt: [],
  retried: 0,
  planVersion: 1,
  digest: 'd',
  cancelled: '',
  begunAtMs,
} as const;
const plan = planOf(
  normalise({ group: Array.from({ length: 6 }, () => ({ task: 'a', retry: { escalateTo: 'large' } })) }),
);

/** The first three wait for their retry on another queue, the others for their first attempt. */
const stored: StoredRun = {
  head: { ...fixed, rev: 4 },
  slots: withSlots(
    new Uint8Array(0),
    [1, 2, 3, 4, 5, 6].map(
      (at) => [at, at > 3 ? slot('Waiting') : slot('Scheduled', { attempt: 1, atTicks: 5 })] as const,
    ),
  ),
  kept: new Map(),
  maps: new Map(),
  ledger: new Map(),
  outbox: [],
};

function memoryOf(known: StoredRun): RunMemory {
  return new RunMemory(plan, known, { run, payloadLimits: defaultPayloadLimits, nowMs: () => begunAtMs + 60_000 });
}

test('what is due after a publish, by each way, is what a new look finds', () => {
  const memory = memoryOf(stored);
  const retried = [1, 2].map((at) => ({ ...push(at, 'm'), slot: slot('Published', { attempt: 1 }) }));
  const publishes = [...retried, { ...push(4, 'm'), slot: slot('Published') }];
  memory.settle(request(7, 4, { publishes }), 5);
  const { due, dueCounts } = memory.view.evaluation;
  expect(due).toEqual([3, 5, 6]);
  expect(dueCounts).toEqual(memoryOf(memory.known).view.evaluation.dueCounts);
  expect([...dueCounts.values()]).toEqual([1, 2]);
});
