import { describe, expect, test } from 'vitest';
import { encodeFailure, engineFailure } from '#core/workflow/failure.ts';
import { summarise } from '#core/workflow/summary.ts';
import { verdictOf } from '#core/workflow/verdict.ts';
import type { Cancelled } from '#core/workflow/advance.ts';
import { aRunView, type Became } from '../../support/run-view.ts';

const identity = { uid: 'aaaaaaaa-bbbb-4000-8000-000000000000', run48: 'aaaaaaaabbbb', round: 0, roundsAt: [] };
const ok: Became = { state: 'Succeeded', kept: '1' };
const gone: Became = { state: 'Cancelled', kept: encodeFailure(engineFailure('Cancelled', 'asked to stop')) };

const stopped: Became = { state: 'Cancelled', kept: encodeFailure(engineFailure('Unstoppable', 'it went on')) };

interface Case {
  readonly why: string;
  readonly became: Readonly<Record<string, readonly Became[]>>;
  readonly cancelled?: Cancelled;
  readonly deadlineMs?: number;
  readonly round?: number;
  readonly roundAtMs?: number;
  readonly says: string;
}

function said(spec: object, { became, cancelled = '', ...times }: Case): string {
  const view = aRunView(spec, became, { cancelled });
  const summary = summarise(identity, view, new Map());
  const { reason, message } = verdictOf({
    evaluation: view.evaluation,
    summary,
    cancelled,
    suspended: false,
    ...times,
  });
  return `${reason}: ${message}`;
}

describe('what the condition says of a run', () => {
  const chain = [{ task: 'a' }, { task: 'b' }, { task: 'c' }];

  test.each<Case>([
    { why: 'that goes on', became: { a: [ok], b: [{ state: 'Running' }] }, says: 'Running: 1 of 3 tasks done' },
    {
      why: 'that is cancelled, and waits for what runs',
      became: { a: [ok], b: [{ state: 'Running' }] },
      cancelled: 'Cancelled',
      says: 'Cancelling: 1 of 3 tasks done; spec.cancel is true, and what runs was asked to stop: 1 task',
    },
    {
      why: 'that was cancelled',
      became: { a: [ok], b: [gone] },
      cancelled: 'Cancelled',
      says: 'Cancelled: 1 of 3 tasks had succeeded when it was cancelled, while spec.chain[1]: task b was waiting for a worker',
    },
    {
      why: 'whose deadline passed',
      became: { a: [stopped] },
      cancelled: 'DeadlineExceeded',
      deadlineMs: 5_000,
      says: 'DeadlineExceeded: 0 of 3 tasks had succeeded when its deadline of 5s passed, while spec.chain[0]: task a was running',
    },
    {
      why: 'whose deadline passed in a further round',
      became: { a: [ok], b: [stopped] },
      cancelled: 'DeadlineExceeded',
      ...{ deadlineMs: 90_000, round: 1, roundAtMs: 60_000 },
      says: 'DeadlineExceeded: 1 of 3 tasks had succeeded when its deadline of 1m30s passed, while spec.chain[1]: task b was running',
    },
    {
      why: 'whose deadline had passed before a further round began',
      became: { a: [ok] },
      cancelled: 'DeadlineExceeded',
      ...{ deadlineMs: 60_000, round: 1, roundAtMs: 60_000 },
      says: 'DeadlineExceeded: 1 of 3 tasks had succeeded when round 1 began, and its deadline of 1m, which counts from startedAt, had passed: raise or remove spec.deadline and raise spec.retryFailed in one change',
    },
    {
      why: 'that succeeded',
      became: { a: [ok], b: [ok], c: [ok] },
      says: 'Succeeded: 3 of 3 tasks succeeded',
    },
  ])('$why', (row) => {
    expect(said({ chain }, row)).toBe(row.says);
  });
});
