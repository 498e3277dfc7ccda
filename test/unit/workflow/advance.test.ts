import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { advance, type AdvanceRequest, type Publish, type StoredRun } from '#core/workflow/advance.ts';
import { restore } from '#core/workflow/restore.ts';
import { readSlot, slotBytes, withSlots, type Slot, type SlotState } from '#core/workflow/slots.ts';

const json = (text: string): JsonText => text as JsonText;
const slot = (state: SlotState): Slot => ({ state, lost: 0, carried: false, attempt: 0, atTicks: 9 });
const head = {
  uid: 'u',
  rev: 4,
  round: 0,
  roundsAt: [],
  retried: 0,
  planVersion: 1,
  digest: 'd',
  cancelled: '',
  begunAtMs: 1,
} as const;
const stored: StoredRun = {
  head,
  slots: withSlots(new Uint8Array(0), [
    [0, slot('Succeeded')],
    [1, slot('Published')],
  ]),
  kept: new Map([[0, json('"first"')]]),
  maps: new Map(),
  ledger: new Map([['q', 3]]),
  outbox: ['old'],
};
const cancelled: StoredRun = { ...stored, head: { ...head, cancelled: 'Cancelled' } };

function request(given: Partial<AdvanceRequest> = {}): AdvanceRequest {
  return { fence: 7, rev: 4, records: [], publishes: [], unfolds: [], ledger: [], ...given };
}

function publish(at: number, isCleanUp = false): Publish {
  return { at, slot: slot('Published'), dispatch: { by: 'Outbox', entry: `e${at}` }, isCleanUp };
}

describe('the deciding script refuses, and writes nothing', () => {
  test.each([
    { why: 'a run that is gone', run: undefined, fence: 9, given: { rev: 1 }, answer: { refusal: 'HeadMissing' } },
    {
      why: 'a lower fence before an old revision',
      run: stored,
      fence: 8,
      given: { rev: 1 },
      answer: { refusal: 'StaleFence', fence: 8 },
    },
    { why: 'an older revision', run: stored, fence: 7, given: { rev: 3 }, answer: { refusal: 'StaleRev', stored } },
    {
      why: 'a revision of the future',
      run: stored,
      fence: 7,
      given: { rev: 5 },
      answer: { refusal: 'StaleRev', stored },
    },
    {
      why: 'an old revision before a cancel',
      run: cancelled,
      fence: 7,
      given: { rev: 3, publishes: [publish(2)] },
      answer: { refusal: 'StaleRev', stored: cancelled },
    },
    {
      why: 'a member after a cancel, clean-up or not beside it',
      run: cancelled,
      fence: 7,
      given: { publishes: [publish(3, true), publish(2)] },
      answer: { refusal: 'Cancelled', stored: cancelled },
    },
  ])('$why', ({ run, fence, given, answer }) => {
    expect(advance(run, fence, request(given))).toEqual({ answer: { ok: false, ...answer } });
  });
});

describe('the deciding script takes', () => {
  test('a fence that is higher than the shard’s, as after its loss', () => {
    expect(advance(stored, 0, request()).answer).toEqual({ ok: true, rev: 5 });
  });

  test('clean-up after a cancel, and records', () => {
    const records = [{ at: 1, slot: slot('Succeeded') }];
    expect(advance(cancelled, 7, request({ records, publishes: [publish(2, true)] })).answer.ok).toBe(true);
  });

  test('a cancel together with what was published just before it', () => {
    const { next } = advance(stored, 7, request({ cancel: 'Cancelled', publishes: [publish(2)] }));
    expect(next?.head).toEqual({ ...head, rev: 5, cancelled: 'Cancelled' });
    expect(next?.outbox).toEqual(['old', 'e2']);
  });

  test('outcomes of what has none, and leaves the others as first recorded', () => {
    const records = [
      { at: 0, slot: slot('Failed'), keep: json('"late"') },
      { at: 1, slot: slot('Succeeded'), keep: json('1.0') },
      { at: 1, slot: slot('Failed'), keep: json('"second"') },
    ];
    const { next } = advance(stored, 7, request({ records }));
    expect([0, 1].map((step) => readSlot(next!.slots, step).state)).toEqual(['Succeeded', 'Succeeded']);
    expect([...next!.kept]).toEqual([
      [0, '"first"'],
      [1, '1.0'],
    ]);
    expect([...stored.kept.keys()]).toEqual([0]);
  });

  test('the first reason of a cancel, and not a later one', () => {
    const { next } = advance(cancelled, 7, request({ cancel: 'DeadlineExceeded' }));
    expect(next?.head.cancelled).toBe('Cancelled');
  });

  test('what is held back, queue by queue', () => {
    const ledger = [
      { queue: 'q', held: 0 },
      { queue: 'gpu', held: 2 },
    ];
    expect(advance(stored, 7, request()).next?.ledger).toEqual(stored.ledger);
    expect(advance(stored, 7, request({ ledger })).next?.ledger).toEqual(new Map([['gpu', 2]]));
  });

  test('a map that unfolds, with what its members do in the same call', () => {
    const unfolds = [{ step: 1, base: 4, count: 3, width: 2 }];
    const records = [{ at: 9, slot: slot('Succeeded'), keep: json('"last"') }];
    const { next } = advance(stored, 7, request({ unfolds, records, publishes: [publish(4)] }));
    expect(next?.maps).toEqual(new Map([[1, { base: 4, count: 3, width: 2 }]]));
    expect(next?.slots).toHaveLength(10 * slotBytes);
    expect([0, 3, 4, 5, 9].map((at) => readSlot(next!.slots, at).state)).toEqual([
      ...['Succeeded', 'Waiting', 'Published', 'Waiting', 'Succeeded'],
    ]);
    expect(next?.kept.get(9)).toBe('"last"');
  });

  test('a new round: other slots, no cancel, no texts of what runs again', () => {
    const kept = new Map([...stored.kept, [1, json('"failed"')], [5, json('"beyond"')]] as const);
    const newRound = { slots: withSlots(new Uint8Array(0), [[0, slot('Succeeded')]]), atTicks: 30, retried: 2 };
    const first = advance({ ...cancelled, kept }, 7, request({ newRound })).next;
    expect(first).toEqual({
      ...stored,
      head: { ...head, rev: 5, round: 1, roundsAt: [30], retried: 2, cancelled: '' },
      slots: newRound.slots,
      kept: stored.kept,
    });
    const second = advance(first, 7, request({ rev: 5, newRound: { ...newRound, atTicks: 40 } })).next;
    expect(second?.head).toMatchObject({ rev: 6, round: 2, roundsAt: [30, 40] });
  });

  test('500 messages and not one more', () => {
    const publishes = Array.from({ length: 500 }, (_, step) => publish(step + 2));
    expect(advance(stored, 7, request({ publishes })).answer.ok).toBe(true);
    publishes.push(publish(502));
    expect(() => advance(stored, 7, request({ publishes }))).toThrow('501 messages in one call; 500 are the most');
  });
});

describe('a lost run is written back', () => {
  const older = { ...head, rev: 3 };

  test.each([
    { over: 'nothing', found: undefined },
    { over: 'an older head', found: { ...stored, head: older } },
  ])('over $over', ({ found }) => {
    expect(restore(found, 7, { ...stored, fence: 7 })).toEqual({ answer: { ok: true, rev: 4 }, next: stored });
  });

  test.each([
    { why: 'the same head', found: stored, fence: 7, answer: { refusal: 'StaleRev', stored } },
    { why: 'a lower fence, of nothing', found: undefined, fence: 6, answer: { refusal: 'StaleFence', fence: 7 } },
  ])('and not over $why', ({ found, fence, answer }) => {
    expect(restore(found, 7, { ...stored, fence })).toEqual({ answer: { ok: false, ...answer } });
  });
});
