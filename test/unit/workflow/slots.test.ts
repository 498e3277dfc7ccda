import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '#core/base/json-text.ts';
import { isLongerThan, utf8Length } from '#core/base/utf8-length.ts';
import { frozenText } from '#core/workflow/digest.ts';
import {
  encodeSlot,
  hasEnded,
  isInFlight,
  readSlot,
  slotStates,
  withSlots,
  type SlotState,
} from '#core/workflow/slots.ts';

const states = Object.keys(slotStates) as SlotState[];
const anySlot = fc.record({
  state: fc.constantFrom(...states),
  lost: fc.nat({ max: 15 }),
  carried: fc.boolean(),
  attempt: fc.nat({ max: 0xffff }),
  atTicks: fc.nat({ max: 0xffffffff }),
});

describe('slots', () => {
  test('say what was written, wherever they stand', () => {
    fc.assert(
      fc.property(anySlot, fc.nat({ max: 50 }), (slot, step) => {
        const slots = withSlots(new Uint8Array(0), [[step, slot]]);
        expect(slots.length).toBe((step + 1) * 8);
        expect(readSlot(slots, step)).toEqual(slot);
      }),
    );
  });

  test('keep the layout that stands in live runs', () => {
    const slot = { state: 'Retrying', lost: 3, carried: true, attempt: 0x1234, atTicks: 0x6553f100 } as const;
    expect(Buffer.from(encodeSlot(slot)).toString('hex')).toBe('051312346553f100');
    expect(slotStates).toEqual({
      ...{ Waiting: 0, Published: 2, Running: 3, Scheduled: 4, Retrying: 5 },
      ...{ Succeeded: 16, PassedOver: 17, Failed: 18, Continued: 19, Cancelled: 20, Lost: 21 },
    });
  });

  test('beyond the end read as waiting, as Redis keeps a short string', () => {
    const nothing = { state: 'Waiting', lost: 0, carried: false, attempt: 0, atTicks: 0 };
    expect(readSlot(new Uint8Array(3), 0)).toEqual(nothing);
    expect(readSlot(new Uint8Array(8), 7)).toEqual(nothing);
  });

  test('of a state that this version does not know are refused', () => {
    expect(() => readSlot(Uint8Array.of(99), 0)).toThrow('slot 0: state 99 is not known to this version');
  });

  test('are copied, not changed', () => {
    const slots = new Uint8Array(8);
    withSlots(slots, [[0, { state: 'Lost', lost: 1, carried: false, attempt: 1, atTicks: 1 }]]);
    expect(slots).toEqual(new Uint8Array(8));
  });

  test('have ended from 16 on, and are in flight between sent and ended', () => {
    expect(states.filter(hasEnded)).toEqual(states.slice(5));
    expect(states.filter(isInFlight)).toEqual(['Published', 'Running', 'Retrying']);
  });
});

describe('the digest of a spec', () => {
  test.each([
    {
      why: 'does not hang on the order of keys',
      a: '{"task":"t","kwargs":{"a":1,"b":2}}',
      b: '{"kwargs":{"b":2,"a":1},"task":"t"}',
      same: true,
    },
    { why: 'hangs on the order of lists', a: '{"args":[1,2]}', b: '{"args":[2,1]}', same: false },
    { why: 'hangs on the text of numbers', a: '{"args":[1.0]}', b: '{"args":[1]}', same: false },
    { why: 'hangs on every value', a: '{"task":"t"}', b: '{"task":"t","immutable":false}', same: false },
  ])('$why', ({ a, b, same }) => {
    expect(frozenText(parseJson(a) as object) === frozenText(parseJson(b) as object)).toBe(same);
  });
});

describe('bytes of a text', () => {
  test('are those that an encoder writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 40 }), (text, bytes) => {
        expect(utf8Length(text)).toBe(Buffer.byteLength(text));
        expect(isLongerThan(text, bytes)).toBe(Buffer.byteLength(text) > bytes);
      }),
    );
    expect(utf8Length('\ud83d x')).toBe(Buffer.byteLength('\ud83d x'));
  });
});
