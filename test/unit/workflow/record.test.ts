import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { decide } from '#core/workflow/decide.ts';
import { engineFailure } from '#core/workflow/failure.ts';
import type { Observation } from '#core/workflow/observation.ts';
import { recordOf } from '#core/workflow/record.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { readSlot, withSlots, type Slot } from '#core/workflow/slots.ts';

const plan = planOf(normalise({ chain: [{ task: 'a' }, { task: 'b', immutable: true }] }));
const failure = engineFailure('ResultLost', 'no');
const failureText = `{"exc":${failure.exc},"traceback":null}`;
const chordError = {
  exc: '{"exc_type": "ChordError", "exc_message": ["x"]}' as JsonText,
  traceback: 'null' as JsonText,
};
const json = (text: string): JsonText => text as JsonText;

const at: Slot = { state: 'Published', lost: 0, carried: false, attempt: 2, atTicks: 100 };
const now = 200;
const { resultBytes } = defaultPayloadLimits;
const context = { nowTicks: now, run48: 'aaaaaaaaaaaa', payloadLimits: defaultPayloadLimits };

type Seen = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'step' | 'member' | 'attempt'>
    : never
  : never;

interface Row {
  readonly why: string;
  readonly slot?: Partial<Slot>;
  readonly attempt?: number;
  readonly seen: Seen;
  /** The slot that is written, where it differs, and the kept text; absent: nothing changes. */
  readonly want?: Partial<Slot> & { readonly keep?: string };
}

function recorded(step: number, { slot = {}, attempt = 2, seen }: Row, payloadLimits = defaultPayloadLimits) {
  const slots = withSlots(new Uint8Array(0), [[step, { ...at, ...slot }]]);
  const state = { ...initialState(0), slots };
  return recordOf(plan, state, { step, member: 0, attempt, ...seen }, { ...context, payloadLimits });
}

describe('what is seen of a task is recorded', () => {
  const success: Seen = { seen: 'Succeeded', result: json('1.0') };
  const failed: Seen = { seen: 'Failed', failure };
  const lost: Seen = { seen: 'Lost', failure };
  test.each<Row>([
    { why: 'its start', seen: { seen: 'Started' }, want: { state: 'Running' } },
    { why: 'its start anew', slot: { state: 'Running' }, seen: { seen: 'Started' }, want: { state: 'Running' } },
    { why: 'not the start of an older attempt', attempt: 1, seen: { seen: 'Started' } },
    { why: 'its retry', slot: { state: 'Running' }, seen: { seen: 'Retrying' }, want: { state: 'Retrying' } },
    { why: 'its success', seen: success, want: { state: 'Succeeded' } },
    { why: 'the success of an older attempt', attempt: 0, seen: success, want: { state: 'Succeeded' } },
    { why: 'the success of an attempt that nobody knows of', attempt: 9, seen: success, want: { state: 'Succeeded' } },
    {
      why: 'a success although nothing was sent',
      slot: { state: 'Waiting' },
      seen: success,
      want: { state: 'Succeeded' },
    },
    { why: 'its failure', seen: failed, want: { state: 'Failed', keep: failureText } },
    { why: 'not the failure of an older attempt', attempt: 1, seen: failed },
    { why: 'nor of a newer one than is known', attempt: 3, seen: failed },
    { why: 'its revocation', seen: { seen: 'Revoked', failure }, want: { state: 'Cancelled', keep: failureText } },
    {
      why: 'its loss: it is to be sent again as a new attempt',
      seen: lost,
      want: { state: 'Waiting', lost: 1, attempt: 3 },
    },
    {
      why: 'the last loss within the bound',
      slot: { lost: 2 },
      seen: lost,
      want: { state: 'Waiting', lost: 3, attempt: 3 },
    },
    {
      why: 'a loss beyond it as the end',
      slot: { lost: 3 },
      seen: lost,
      want: { state: 'Lost', lost: 3, keep: failureText },
    },
    { why: 'not the loss of an older attempt', attempt: 1, seen: lost },
    { why: 'no second outcome', slot: { state: 'Succeeded' }, seen: failed },
    { why: 'no success after a failure', slot: { state: 'Failed' }, seen: success },
    { why: 'no success after it was given up', slot: { state: 'Lost' }, seen: success },
    {
      why: 'a ChordError of a carried errback as done',
      slot: { carried: true },
      seen: { seen: 'Failed', failure: chordError },
      want: { state: 'Succeeded', carried: true },
    },
    {
      why: 'another failure of it as one',
      slot: { carried: true },
      seen: failed,
      want: { state: 'Failed', carried: true, keep: failureText },
    },
    {
      why: 'a ChordError of what was not carried as a failure',
      seen: { seen: 'Failed', failure: chordError },
      want: { state: 'Failed', keep: `{"exc":${chordError.exc},"traceback":null}` },
    },
  ])('$why', (row) => {
    const got = recorded(2, row);
    if (row.want === undefined) {
      expect(got).toBeUndefined();
      return;
    }
    const { keep, ...slot } = row.want;
    const kept = keep ?? (slot.state === 'Succeeded' && row.slot?.carried !== true ? '1.0' : undefined);
    expect(got).toEqual({
      at: 2,
      slot: { ...at, ...row.slot, ...slot, atTicks: now },
      ...(kept === undefined ? {} : { keep: kept }),
    });
  });

  test('a result that nobody asks for is not kept', () => {
    expect(recorded(1, { why: '', seen: success })).not.toHaveProperty('keep');
  });

  test('nothing of a composite, nor of a step that is not in the plan', () => {
    for (const step of [0, 3]) expect(recorded(step, { why: '', seen: success })).toBeUndefined();
  });

  test.each([
    { why: 'of the largest size that is taken', text: `"${'x'.repeat(resultBytes - 2)}"`, state: 'Succeeded' },
    { why: 'a byte larger', text: `"${'x'.repeat(resultBytes - 1)}"`, state: 'Failed' },
    { why: 'larger in bytes, not in characters', text: `"${'ü'.repeat(resultBytes / 2)}"`, state: 'Failed' },
  ])('a result $why: $state', ({ text, state }) => {
    const got = recorded(2, { why: '', seen: { seen: 'Succeeded', result: json(text) } });
    expect(got?.slot.state).toBe(state);
    if (state === 'Failed') {
      expect(got?.keep).toContain('ResultTooLarge');
      expect(got?.keep).toContain('spec.chain[1]');
      expect(got?.keep?.length).toBeLessThan(1_000);
    }
  });

  test.each([
    { why: 'as large as another limit allows', length: 2_046, state: 'Succeeded' },
    { why: 'a byte larger than another limit', length: 2_047, state: 'Failed' },
  ])('a result $why: $state', ({ length, state }) => {
    const seen: Seen = { seen: 'Succeeded', result: json(`"${'x'.repeat(length)}"`) };
    const got = recorded(2, { why: '', seen }, { ...defaultPayloadLimits, resultBytes: 2_048 });
    expect(got?.slot.state).toBe(state);
    if (state === 'Succeeded') return;
    const said = /spec\.chain\[1\].*2049 bytes.*2048 .*store it elsewhere.*administrator.*payloads\.maxResultBytes/;
    expect(got?.keep).toMatch(said);
  });
});

describe('a decision', () => {
  const empty = initialState(0);
  const a = { step: 1, member: 0, attempt: 0 };
  const now = { ...context, run: { name: 'w', namespace: 'n', uid: 'u' } };

  test('folds what was seen in order and tells one record a step', () => {
    const seen: Observation[] = [
      { ...a, seen: 'Started' },
      { ...a, seen: 'Succeeded', result: json('1') },
      { ...a, seen: 'Succeeded', result: json('2') },
      { ...a, seen: 'Failed', failure },
    ];
    const { records, state, evaluation } = decide(plan, empty, seen, now);
    expect(records.map(({ at: slot, slot: { state: now } }) => `${slot} ${now}`)).toEqual(['1 Succeeded']);
    expect(readSlot(state.slots, 1).state).toBe('Succeeded');
    expect(evaluation.due).toEqual([2]);
  });

  test('leaves the state that it was made on as it was', () => {
    const slots = new Uint8Array(24);
    decide(plan, { ...empty, slots }, [{ ...a, seen: 'Started' }], now);
    expect(slots).toEqual(new Uint8Array(24));
  });

  test('of a loss and the success that came after all is the success', () => {
    const seen: Observation[] = [
      { ...a, seen: 'Lost', failure },
      { ...a, seen: 'Succeeded', result: json('1') },
    ];
    const { records } = decide(plan, empty, seen, now);
    expect(records).toMatchObject([{ at: 1, slot: { state: 'Succeeded', attempt: 1, lost: 1 } }]);
  });

  test('tells what landed because a worker said so from what the engine ended', () => {
    const wide = planOf(normalise({ group: ['a', 'b', 'c', 'd'].map((task) => ({ task })) }));
    const sent = [1, 2, 3, 4].map((slot) => [slot, { ...at, attempt: 0 }] as const);
    const slots = withSlots(new Uint8Array(0), sent);
    const seen: Observation[] = [
      { ...a, step: 1, seen: 'Succeeded', result: json('1') },
      { ...a, step: 2, seen: 'Failed', failure: chordError },
      { ...a, step: 3, seen: 'Failed', failure: engineFailure('WaitLimitExceeded', 'taken back') },
      { ...a, step: 4, seen: 'Lost', failure: engineFailure('WorkerLost', 'gone') },
      { ...a, step: 4, seen: 'Succeeded', result: json('1') },
    ];
    const { landed, unanswered } = decide(wide, { ...empty, slots }, seen, now);
    expect(landed).toEqual([1, 2, 3, 4]);
    expect(unanswered).toEqual(new Set([3]));
  });

  test('of nothing seen is what is due', () => {
    expect(decide(plan, empty, [], now)).toMatchObject({ records: [], evaluation: { due: [1], stage: 'Running' } });
  });
});
