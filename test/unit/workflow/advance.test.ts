import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { advance, type AdvanceRequest, type Publish, type StoredRun } from '#core/workflow/advance.ts';
import { readSlot, withSlots, type Slot, type SlotState } from '#core/workflow/slots.ts';

const json = (text: string): JsonText => text as JsonText;
const slot = (state: SlotState): Slot => ({ state, lost: 0, carried: false, attempt: 0, atSeconds: 9 });
const head = { uid: 'u', rev: 4, round: 0, planVersion: 1, digest: 'd', cancelled: false, begunAtMs: 1 };
const stored: StoredRun = {
  head,
  slots: withSlots(new Uint8Array(0), [
    [0, slot('Succeeded')],
    [1, slot('Published')],
  ]),
  kept: new Map([[0, json('"first"')]]),
  outbox: ['old'],
};
const cancelled: StoredRun = { ...stored, head: { ...head, cancelled: true } };

function request(given: Partial<AdvanceRequest> = {}): AdvanceRequest {
  return { fence: 7, rev: 4, records: [], publishes: [], ledger: [], timers: { set: [], clear: [] }, ...given };
}

function publish(step: number, isCleanUp = false): Publish {
  return { step, slot: slot('Published'), dispatch: { by: 'Outbox', entry: `e${step}` }, isCleanUp };
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
    const records = [{ step: 1, slot: slot('Succeeded') }];
    expect(advance(cancelled, 7, request({ records, publishes: [publish(2, true)] })).answer.ok).toBe(true);
  });

  test('a cancel together with what was published just before it', () => {
    const { next } = advance(stored, 7, request({ cancel: true, publishes: [publish(2)] }));
    expect(next?.head).toEqual({ ...head, rev: 5, cancelled: true });
    expect(next?.outbox).toEqual(['old', 'e2']);
  });

  test('outcomes of what has none, and leaves the others as first recorded', () => {
    const records = [
      { step: 0, slot: slot('Failed'), keep: json('"late"') },
      { step: 1, slot: slot('Succeeded'), keep: json('1.0') },
      { step: 1, slot: slot('Failed'), keep: json('"second"') },
    ];
    const { next } = advance(stored, 7, request({ records }));
    expect([0, 1].map((step) => readSlot(next!.slots, step).state)).toEqual(['Succeeded', 'Succeeded']);
    expect([...next!.kept]).toEqual([
      [0, '"first"'],
      [1, '1.0'],
    ]);
    expect([...stored.kept.keys()]).toEqual([0]);
  });

  test('500 messages and not one more', () => {
    const publishes = Array.from({ length: 500 }, (_, step) => publish(step + 2));
    expect(advance(stored, 7, request({ publishes })).answer.ok).toBe(true);
    publishes.push(publish(502));
    expect(() => advance(stored, 7, request({ publishes }))).toThrow('501 messages in one call; 500 are the most');
  });
});
