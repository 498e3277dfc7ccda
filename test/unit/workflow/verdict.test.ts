import { describe, expect, test } from 'vitest';
import { encodeFailure, engineFailure } from '#core/workflow/failure.ts';
import { summarise } from '#core/workflow/summary.ts';
import { verdictOf } from '#core/workflow/verdict.ts';
import type { Cancelled } from '#core/workflow/advance.ts';
import { aRunView, type Became } from '../../support/run-view.ts';

const identity = { uid: 'aaaaaaaa-bbbb-4000-8000-000000000000', run48: 'aaaaaaaabbbb', round: 0, roundsAt: [] };
const ok: Became = { state: 'Succeeded', kept: '1' };
const gone: Became = { state: 'Cancelled', kept: encodeFailure(engineFailure('Cancelled', 'asked to stop')) };

function said(spec: object, became: Readonly<Record<string, readonly Became[]>>, cancelled: Cancelled): string {
  const view = aRunView(spec, became, { cancelled });
  const summary = summarise(identity, view, new Map());
  const { reason, message } = verdictOf({ evaluation: view.evaluation, summary, cancelled, suspended: false });
  return `${reason}: ${message}`;
}

describe('what the condition says of a run', () => {
  const chain = [{ task: 'a' }, { task: 'b' }, { task: 'c' }];

  test.each<{ why: string; became: Readonly<Record<string, readonly Became[]>>; cancelled?: Cancelled; says: string }>([
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
      says: 'Cancelled: 1 of 3 tasks had succeeded when it was cancelled',
    },
    {
      why: 'whose deadline passed',
      became: { a: [gone] },
      cancelled: 'DeadlineExceeded',
      says: 'DeadlineExceeded: 0 of 3 tasks had succeeded when its deadline passed',
    },
    {
      why: 'that succeeded',
      became: { a: [ok], b: [ok], c: [ok] },
      says: 'Succeeded: 3 of 3 tasks succeeded',
    },
  ])('$why', ({ became, cancelled = '', says }) => {
    expect(said({ chain }, became, cancelled)).toBe(says);
  });
});
