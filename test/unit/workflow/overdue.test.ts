import { describe, expect, test } from 'vitest';
import { overdueAttempts } from '#core/workflow/overdue.ts';
import { aRunView, type Became } from '../../support/run-view.ts';

const published: Became = { state: 'Published', atTicks: 1_000 };
const running: Became = { state: 'Running', atTicks: 1_000 };
const seconds = (count: number): number => 1_000 + count * 100;

interface Row {
  readonly why: string;
  readonly task: object;
  readonly slot: Became;
  readonly at: number;
  /** What is overdue; absent: nothing, and when to look again, undefined for never. */
  readonly overdue?: object;
  readonly next?: number | undefined;
}

describe('an attempt', () => {
  test.each<Row>([
    { why: 'without bounds is never overdue', task: {}, slot: published, at: seconds(1e6) },
    {
      why: 'may wait for its waitLimit',
      task: { waitLimit: '10s' },
      slot: published,
      at: seconds(9),
      next: seconds(10),
    },
    {
      why: 'that waited longer is taken back',
      task: { waitLimit: '10s' },
      slot: published,
      at: seconds(10),
      overdue: { by: 'Withdraw', type: 'WaitLimitExceeded', attempt: 0 },
    },
    { why: 'that runs waits no more', task: { waitLimit: '10s' }, slot: running, at: seconds(99) },
    {
      why: 'expires so long after it was sent',
      task: { expires: '5s' },
      slot: published,
      at: seconds(5),
      overdue: { by: 'Withdraw', type: 'Expired' },
    },
    {
      why: 'expires at a moment',
      task: { expires: '1970-01-01T00:00:20Z' },
      slot: published,
      at: 1_999,
      next: 2_000,
    },
    {
      why: 'that runs has its timeLimit and 30 s, for its worker is to end it',
      task: { timeLimit: '60s' },
      slot: running,
      at: seconds(89),
      next: seconds(90),
    },
    {
      why: 'whose worker did not end it fails',
      task: { timeLimit: '60s' },
      slot: running,
      at: seconds(90),
      overdue: { by: 'Fail', type: 'TimeLimitExceeded' },
    },
    {
      why: 'that has ended is not looked at',
      task: { waitLimit: '1s' },
      slot: { state: 'Succeeded' },
      at: seconds(99),
    },
    {
      why: 'that is due later does not wait yet',
      task: { waitLimit: '1s' },
      slot: { state: 'Scheduled', atTicks: 9_000 },
      at: 8_999,
    },
    {
      why: 'that is due and was not sent waits all the same, and is not taken back from anywhere',
      task: { waitLimit: '1s' },
      slot: { state: 'Scheduled', atTicks: 9_000 },
      at: 9_100,
      overdue: { by: 'Fail', type: 'WaitLimitExceeded' },
    },
  ])('$why', ({ task, slot, at, overdue, next }) => {
    const found = overdueAttempts(aRunView({ task: 'a', ...task }, { a: [slot] }), at);
    if (overdue === undefined) expect(found).toEqual({ overdue: [], nextTicks: next });
    else expect(found.overdue).toMatchObject([{ step: 0, member: 0, ...overdue }]);
  });

  test.each([
    { why: 'a handler that nobody took has 20 minutes', handler: {}, slot: published, minutes: 20 },
    { why: 'one that was seen to run has 10', handler: {}, slot: running, minutes: 10 },
    { why: 'or what it was given', handler: { waitLimit: '1m', timeLimit: '30s' }, slot: published, minutes: 2 },
  ])('$why', ({ handler, slot, minutes }) => {
    const view = aRunView(
      { task: 'a', link: [{ task: 'l', ...handler }] },
      { a: [{ state: 'Succeeded', kept: '1' }], l: [slot] },
    );
    const bound = seconds(minutes * 60);
    const early = overdueAttempts(view, bound - 1).overdue.filter(({ type }) => type === 'HandlerTimeout');
    expect(early).toEqual([]);
    const late = overdueAttempts({ ...view }, bound).overdue.map(({ type }) => type);
    expect(late.length).toBe(1);
  });

  test('that was not sent before a cancel is never given up: it is never sent', () => {
    const due: Became = { state: 'Scheduled', atTicks: 1_000 };
    const spec = { group: [{ task: 'a', waitLimit: '1s' }], link: [{ task: 'l', waitLimit: '1s' }] };
    const view = aRunView(spec, { a: [due], l: [due] }, { cancelled: 'Cancelled' });
    const { overdue } = overdueAttempts(view, seconds(9));
    expect(overdue.map(({ step }) => step)).toEqual([2]);
  });

  test('of a map is looked at member by member', () => {
    const view = aRunView(
      { map: { task: 'a', range: 3, waitLimit: '10s' } },
      {
        a: [
          { ...published, member: 0 },
          { ...published, member: 1, atTicks: 1_500 },
          { ...published, member: 2, attempt: 4 },
        ],
      },
    );
    const { overdue, nextTicks } = overdueAttempts(view, seconds(10));
    expect(overdue.map(({ member, attempt }) => [member, attempt])).toEqual([
      [0, 0],
      [2, 4],
    ]);
    expect(nextTicks).toBe(2_500);
  });
});
