import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '#core/base/limits.ts';
import { decodeCheckpoint, encodeCheckpoint, type CheckpointSource } from '#core/workflow/checkpoint.ts';

const uid = '5f0c8d6e-1111-4222-8333-444455556666';
const succeeded = 16;
const failed = 18;

/** One slot's bytes: state, flags, attempt, ticks. */
function slotsOf(list: readonly { state: number; attempt?: number; ticks?: number }[]): Uint8Array {
  const slots = new Uint8Array(list.length * 8);
  const view = new DataView(slots.buffer);
  list.forEach(({ state, attempt = 0, ticks = 0 }, at) => {
    view.setUint8(at * 8, state);
    view.setUint16(at * 8 + 2, attempt);
    view.setUint32(at * 8 + 4, ticks);
  });
  return slots;
}

function aRun(changes: Partial<CheckpointSource> = {}): CheckpointSource {
  return {
    ...{ uid, rev: 1, round: 0, roundsAt: [], retried: 0, planVersion: 2, digest: 'ab'.repeat(32), cancelled: '' },
    ...{ begunAtMs: 1_795_000_000_000, maps: new Map(), slots: slotsOf([]) },
    ...changes,
  };
}

/** What a checkpoint keeps of slots: those that ended, at the beginning of the round in which they did. */
function keptOf({ slots, roundsAt }: CheckpointSource): Uint8Array {
  const view = new DataView(slots.buffer);
  return slotsOf(
    Array.from({ length: slots.length / 8 }, (_, at) => {
      const state = view.getUint8(at * 8);
      if (state < 16) return { state: 0 };
      const begun = roundsAt.filter((each) => each <= view.getUint32(at * 8 + 4)).at(-1) ?? 0;
      return { state, attempt: view.getUint16(at * 8 + 2), ticks: begun };
    }),
  );
}

const anySlot = fc.record({
  state: fc.constantFrom(0, 2, 3, 4, 5, 16, 17, 18, 19, 20, 21),
  attempt: fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })),
  ticks: fc.nat({ max: 0xffffffff }),
});
const anyMap = fc.record({ base: fc.nat({ max: 5_000 }), count: fc.nat({ max: 5_000 }), width: fc.nat({ max: 20 }) });
const anyRun = fc
  .record({
    rev: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    roundsAt: fc.uniqueArray(fc.nat({ max: 0xffffffff }), { maxLength: 5 }),
    retried: fc.nat({ max: 4_094 }),
    planVersion: fc.nat({ max: 9 }),
    cancelled: fc.constantFrom('' as const, 'Cancelled' as const, 'DeadlineExceeded' as const),
    begunAtMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    maps: fc.uniqueArray(fc.tuple(fc.nat({ max: 999 }), anyMap), { selector: ([step]) => step, maxLength: 4 }),
    slots: fc.array(anySlot, { maxLength: 300 }),
  })
  .map(({ roundsAt, maps, slots, ...rest }) =>
    aRun({
      ...rest,
      roundsAt: roundsAt.toSorted((a, b) => a - b),
      round: roundsAt.length,
      maps: new Map(maps),
      slots: slotsOf(slots),
    }),
  );

describe('a checkpoint', () => {
  test('gives back which slots had ended, how, at which attempt and in which round', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const text = encodeCheckpoint(run) ?? '';
        const { uid: _uid, digest, slots: _slots, ...rest } = run;
        expect(decodeCheckpoint(text, uid)).toEqual({ ...rest, digestStart: digest.slice(0, 8), slots: keptOf(run) });
      }),
    );
  });

  test('is refused as a whole once a character was changed, whichever', () => {
    fc.assert(
      fc.property(
        anyRun,
        fc.nat(),
        fc.constantFrom('A', 'b', '9', '-', '_', ' ', '~', 'é'),
        (run, place, character) => {
          const text = encodeCheckpoint(run) ?? '';
          const at = place % text.length;
          // The last character may hold bits that are no part of any byte.
          fc.pre(at < text.length - 1 && text[at] !== character);
          expect(decodeCheckpoint(text.slice(0, at) + character + text.slice(at + 1), uid)).toBeUndefined();
        },
      ),
    );
  });

  test('reads any text without an error, and without taking it for one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[A-Za-z0-9_-]*$/)), (text) => {
        expect(decodeCheckpoint(text, uid)).toBeUndefined();
      }),
    );
  });

  test('is nobody else’s', () => {
    expect(decodeCheckpoint(encodeCheckpoint(aRun()) ?? '', uid.replace('5f', '60'))).toBeUndefined();
  });
});

describe('the size of a checkpoint of 100,000 members', () => {
  const members = 100_000;
  const map = { maps: new Map([[1, { base: 3, count: members, width: 1 }]]), rev: 12_345 };
  const sized = (stateAt: (at: number) => number): number | undefined =>
    encodeCheckpoint(
      aRun({ ...map, slots: slotsOf(Array.from({ length: members }, (_, at) => ({ state: stateAt(at) }))) }),
    )?.length;

  test('is next to nothing when they end in order', () => {
    expect(sized((at) => (at < 60_000 ? succeeded : 0))).toBeLessThan(96);
  });

  test('is next to nothing when all have ended', () => {
    expect(sized(() => succeeded)).toBeLessThan(96);
  });

  test('is small when workers overtake one another near the front, and some have failed', () => {
    const size = sized((at) =>
      at < 50_000 ? (at % 1_000 === 7 ? failed : succeeded) : at < 52_000 ? (at % 3) * 8 : 0,
    );
    expect(size).toBeLessThan(2_500);
  });

  describe('that end in random order', () => {
    /** Of each, how it ended and at which attempt. */
    function randomly(failing: number, again: number): Uint8Array {
      let seed = 1;
      const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      const any = () => {
        if (random() < 0.5) return { state: 0 };
        return { state: random() < failing ? failed : succeeded, attempt: random() < again ? 1 : 0 };
      };
      return slotsOf(Array.from({ length: members }, any));
    }

    test.each([
      { why: 'half of them', failing: 0, again: 0, kib: 17 },
      { why: 'one in 100 failed', failing: 0.01, again: 0, kib: 19 },
      { why: 'one in 20 failed and one in 20 tried again', failing: 0.05, again: 0.05, kib: 31 },
      { why: 'one in three failed', failing: 0.33, again: 0, kib: 35 },
    ])('is kept: $why', ({ failing, again, kib }) => {
      const run = aRun({ ...map, slots: randomly(failing, again) });
      const text = encodeCheckpoint(run) ?? '';
      expect(text.length).toBeLessThan(kib * 1024);
      expect(Buffer.compare(decodeCheckpoint(text, uid)?.slots ?? new Uint8Array(), keptOf(run))).toBe(0);
    });

    test('is too much to be kept when every other one was tried again', () => {
      expect(encodeCheckpoint(aRun({ ...map, slots: randomly(0.3, 0.5) }))).toBeUndefined();
    });
  });

  test('never passes its bound', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20_000 }), (count) => {
        const slots = slotsOf(Array.from({ length: count }, (_, at) => ({ state: (at % 2) * succeeded, attempt: at })));
        expect(encodeCheckpoint(aRun({ slots }))?.length ?? 0).toBeLessThanOrEqual(limits.checkpointBytes);
      }),
      { numRuns: 20 },
    );
  });
});
