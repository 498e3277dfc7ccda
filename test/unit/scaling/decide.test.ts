import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type ScalingHistory, type ScalingSpec } from '#core/scaling/decide.ts';

const spec = {
  kind: 'Auto',
  minReplicas: 0,
  maxReplicas: 10,
  slotsPerReplica: 2,
  tasksPerSlot: 5,
  scaleDownDelayMs: 60_000,
} as const satisfies ScalingSpec;

const now = 1_000_000;

/** Nothing but `wanted` was asked for within the delay. */
function wantedUntil(wanted: number, untilMs: number): ScalingHistory {
  return [
    { wanted, untilMs },
    { wanted: 0, untilMs: now },
  ];
}

function demand(waiting: number, held = 0, inFlight = 0) {
  return { waiting, held, inFlight };
}

describe('the number of pods', () => {
  test.each([
    {
      why: 'is none without work',
      seen: { demand: demand(0), replicas: 0 },
      want: { replicas: 0, reason: 'NoDemand' },
    },
    {
      why: 'is one for a single task',
      seen: { demand: demand(1), replicas: 0 },
      want: { replicas: 1, reason: 'Demand' },
    },
    {
      why: 'is one for as many tasks as one pod may look after',
      seen: { demand: demand(10), replicas: 0 },
      want: { replicas: 1 },
    },
    { why: 'is one more for one task more', seen: { demand: demand(11), replicas: 1 }, want: { replicas: 2 } },
    { why: 'counts what is held back as work', seen: { demand: demand(0, 35), replicas: 0 }, want: { replicas: 4 } },
    { why: 'counts what runs as work', seen: { demand: demand(5, 5, 11), replicas: 1 }, want: { replicas: 3 } },
    { why: 'goes up in one step', seen: { demand: demand(95), replicas: 1 }, want: { replicas: 10 } },
    {
      why: 'stops at the upper bound',
      seen: { demand: demand(101), replicas: 1 },
      want: { replicas: 10, reason: 'MaxReplicas', limit: 'TooManyReplicas' },
    },
    {
      why: 'stays while depth is unknown',
      seen: { replicas: 4 },
      want: { replicas: 4, reason: 'UnknownDepth', limit: 'UnknownDepth' },
    },
    {
      why: 'stays at none while depth is unknown',
      seen: { replicas: 0 },
      want: { replicas: 0, reason: 'UnknownDepth' },
    },
    { why: 'comes below a lowered bound even while depth is unknown', seen: { replicas: 40 }, want: { replicas: 10 } },
    {
      why: 'goes down only after the delay when the past is not known',
      seen: { demand: demand(0), replicas: 4 },
      want: { replicas: 4, reason: 'ScaleDownDelay', lookAgainAtMs: now + 60_000 },
    },
  ])('$why', ({ seen, want }) => {
    expect(decide(spec, seen, undefined, now)).toMatchObject(want);
  });

  test.each([
    {
      why: 'stays while a lull is shorter than the delay',
      untilMs: now - 59_999,
      want: { replicas: 4, reason: 'ScaleDownDelay', lookAgainAtMs: now + 1 },
    },
    {
      why: 'goes down once a lull was as long as the delay',
      untilMs: now - 60_000,
      want: { replicas: 0, reason: 'NoDemand' },
    },
  ])('$why', ({ untilMs, want }) => {
    expect(decide(spec, { demand: demand(0), replicas: 4 }, wantedUntil(4, untilMs), now)).toMatchObject(want);
  });

  test.each([
    { why: 'keeps for the delay what somebody else raised', asked: 1, want: { replicas: 4, reason: 'ScaleDownDelay' } },
    { why: 'goes down at once from what it raised itself', asked: 4, want: { replicas: 0, reason: 'NoDemand' } },
    { why: 'goes down at once where somebody else lowered it', asked: 6, want: { replicas: 0 } },
  ])('$why', ({ asked, want }) => {
    const seen = { demand: demand(0), replicas: 4, asked };
    const verdict = decide(spec, seen, [{ wanted: 0, untilMs: now - 1 }], now);
    expect(verdict).toMatchObject(want);
    // Once: what was kept for the delay goes after it, though it is still more than was ever wanted.
    const later = decide(
      spec,
      { ...seen, asked: verdict.replicas, replicas: verdict.replicas },
      verdict.history,
      now + 60_000,
    );
    expect(later.replicas).toBe(0);
  });

  test('outlasts its work by a second though the spec asks for no delay', () => {
    const hasty = { ...spec, scaleDownDelayMs: 0 };
    const idle = { demand: demand(0), replicas: 4 };
    expect(decide(hasty, idle, wantedUntil(4, now - 999), now)).toMatchObject({ replicas: 4, lookAgainAtMs: now + 1 });
    expect(decide(hasty, idle, wantedUntil(4, now - 1_000), now)).toMatchObject({ replicas: 0 });
  });

  test('does not fall below the lower bound', () => {
    const verdict = decide({ ...spec, minReplicas: 2 }, { demand: demand(0), replicas: 2 }, [], now);
    expect(verdict).toMatchObject({ replicas: 2, reason: 'MinReplicas', limit: 'TooFewReplicas' });
  });

  test('is what the spec says when it is fixed, known depth or not', () => {
    expect(decide({ kind: 'Fixed', replicas: 3 }, { replicas: 1 }, undefined, now)).toMatchObject({
      replicas: 3,
      reason: 'Fixed',
    });
  });

  test('falls to the highest number that was wanted within the delay, not to zero at once', () => {
    const calls = [
      { atMs: 0, waiting: 80, want: 8 },
      { atMs: 10_000, waiting: 30, want: 8 },
      { atMs: 69_999, waiting: 0, want: 8 },
      { atMs: 70_000, waiting: 0, want: 3 },
      { atMs: 129_998, waiting: 0, want: 3 },
      { atMs: 129_999, waiting: 0, want: 0 },
    ];
    let history: ScalingHistory | undefined;
    let replicas = 0;
    for (const { atMs, waiting, want } of calls) {
      const verdict = decide(spec, { demand: demand(waiting), replicas }, history, atMs);
      ({ history, replicas } = verdict);
      expect([atMs, replicas]).toEqual([atMs, want]);
    }
  });

  test('is never below what the work needs nor outside its bounds, and its history stays short', () => {
    const steps = fc.array(fc.record({ afterMs: fc.nat(90_000), waiting: fc.option(fc.nat(150)) }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (moves) => {
        let history: ScalingHistory | undefined;
        let replicas = 0;
        let atMs = 0;
        for (const { afterMs, waiting } of moves) {
          atMs += afterMs;
          const seen = waiting === null ? { replicas } : { demand: demand(waiting), replicas };
          ({ history, replicas } = decide(spec, seen, history, atMs));
          expect(replicas).toBeGreaterThanOrEqual(Math.min(10, Math.ceil((waiting ?? 0) / 10)));
          expect(replicas).toBeLessThanOrEqual(10);
          expect(history.length).toBeLessThanOrEqual(12);
        }
      }),
    );
  });
});
