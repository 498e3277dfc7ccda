import { describe, expect, test } from 'vitest';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { statusDue } from '#core/workflow/status-due.ts';

const running: WorkflowStatus = {
  state: 'Running',
  round: 0,
  done: 10,
  total: 100,
  running: 5,
  failed: 0,
  step: 'add',
};
const reporting = (progress: string): WorkflowStatus => ({
  ...running,
  steps: [{ id: 1, path: 'spec', state: 'Running', report: 'PROGRESS', progress }],
});
const handled: WorkflowStatus = { ...running, handlers: [{ kind: 'Link', path: 'spec', task: 'a', state: 'Running' }] };
const finalizing = (state: string): WorkflowStatus => ({
  ...running,
  state: 'Finalizing',
  handlers: [{ kind: 'Link', path: 'spec.link[0]', task: 'a', state }],
});
const hour = 3_600_000;

describe('a status is written', () => {
  test.each([
    { why: 'at first sight', shown: undefined, next: running, age: 0, since: 0, want: 'Now' },
    { why: 'at the end, however soon', shown: running, next: { ...running, finishedAt: 'now' }, since: 1, want: 'Now' },
    { why: 'not when nothing changed', shown: running, next: { ...running }, since: hour, want: 'No' },
    { why: 'at another state', shown: running, next: { ...running, state: 'NoQueue' }, since: 1_000, want: 'Now' },
    { why: 'never twice a second', shown: running, next: { ...running, state: 'NoQueue' }, since: 400, want: 600 },
    {
      why: 'when nothing runs any more of what was suspended',
      shown: { ...running, state: 'Suspended' },
      next: { ...running, state: 'Suspended', running: 0, done: 11 },
      since: 500,
      want: 1_500,
    },
    { why: 'at another round', shown: running, next: { ...running, round: 1 }, since: 1_000, want: 'Now' },
    { why: 'at the first failure', shown: running, next: { ...running, failed: 1 }, since: 1_000, want: 'Now' },
    {
      why: 'later at the next failure',
      shown: { ...running, failed: 1 },
      next: { ...running, failed: 2 },
      since: 1_000,
      want: 599_000,
    },
    { why: 'at five points, early', shown: running, next: { ...running, done: 15 }, age: 900, since: 900, want: 100 },
    { why: 'at five points, later', shown: running, next: { ...running, done: 15 }, age: 6_000, since: 1e3, want: 3e3 },
    {
      why: 'at five points, old',
      shown: running,
      next: { ...running, done: 15 },
      age: hour,
      since: 5_000,
      want: 'Now',
    },
    { why: 'at four points, young', shown: running, next: { ...running, done: 14 }, since: 1_000, want: 19_000 },
    { why: 'at four points, old', shown: running, next: { ...running, done: 14 }, age: hour, since: 0, want: 600_000 },
    { why: 'for a report', shown: reporting('1/9'), next: reporting('2/9'), age: 9_000, since: 1_000, want: 4_000 },
    { why: 'not for the same report', shown: reporting('1/9'), next: reporting('1/9'), since: hour, want: 'No' },
    { why: 'for an old report', shown: reporting('1/9'), next: reporting('2/9'), age: 60_000, since: 0, want: 20_000 },
    {
      why: 'soon when a handler ends',
      shown: finalizing('Running'),
      next: finalizing('Failed'),
      since: 1e3,
      want: 1e3,
    },
    { why: 'not for its handlers while it runs', shown: running, next: handled, since: hour, want: 'No' },
    { why: 'when only a timer is left', shown: running, next: { ...running, nextDueAt: 'x' }, since: 5e3, want: 'Now' },
    {
      why: 'when it is found that it waits for a worker',
      shown: running,
      next: { ...running, unservedQueue: 'nobody' },
      since: 10_000,
      want: 'Now',
    },
    {
      why: 'for another step',
      shown: running,
      next: { ...running, step: 'sub' },
      age: 30_000,
      since: 4_000,
      want: 6_000,
    },
    { why: 'soon when the first task runs', shown: { ...running, running: 0 }, next: running, since: 1_500, want: 500 },
    { why: 'for small news at last', shown: running, next: { ...running, running: 4 }, since: 600_000, want: 'Now' },
  ])('$why', ({ shown, next, age = 1_000, since, want }) => {
    const due = statusDue(shown, next, { nowMs: 1e9, begunAtMs: 1e9 - age, writtenAtMs: 1e9 - since });
    expect(due).toEqual(typeof want === 'number' ? { write: 'Later', afterMs: want } : { write: want });
  });
});

/** Writes of a run that changes ten times a second, from its first to its last. */
function writesOf(seconds: number, at: (share: number, nowMs: number) => WorkflowStatus): number {
  let shown = at(0, 0);
  let writtenAtMs = 0;
  let writes = 1;
  for (let nowMs = 100; nowMs < seconds * 1_000; nowMs += 100) {
    const next = at(nowMs / (seconds * 1_000), nowMs);
    if (statusDue(shown, next, { nowMs, begunAtMs: 0, writtenAtMs }).write !== 'Now') continue;
    [shown, writtenAtMs] = [next, nowMs];
    writes += 1;
  }
  return writes + 1;
}

describe('writes of a run in all', () => {
  const many = (share: number): WorkflowStatus => ({ ...running, total: 100_000, done: Math.floor(share * 100_000) });

  test.each([
    { seconds: 0.9, most: 2 },
    { seconds: 5, most: 5 },
    { seconds: 60, most: 20 },
    { seconds: 3_600, most: 31 },
    { seconds: 36_000, most: 85 },
  ])('are at most $most in $seconds s', ({ seconds, most }) => {
    expect(writesOf(seconds, many)).toBeLessThanOrEqual(most);
    const worse = (share: number): WorkflowStatus => ({ ...many(share), failed: Math.floor(share * 900) });
    expect(writesOf(seconds, worse)).toBeLessThanOrEqual(most);
    expect(writesOf(seconds, (share, nowMs) => ({ ...many(share), step: String(nowMs) }))).toBeLessThanOrEqual(most);
  });

  test('are few though a task reports without end', () => {
    expect(writesOf(3_600, (_, nowMs) => reporting(`${nowMs}/9`))).toBeLessThanOrEqual(31);
  });
});
