import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoOf, msOf } from '#core/base/iso-date.ts';

test('any moment is written as Python writes it, and read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      expect(isoOf(ms)).toBe(new Date(ms).toISOString().replace('Z', '000+00:00'));
      expect(msOf(isoOf(ms))).toBe(ms);
    }),
  );
});

test.each([
  ['2026-11-21T12:55:34.621073+00:00', Date.UTC(2026, 10, 21, 12, 55, 34, 621)],
  ['2027-01-02T03:04:05Z', Date.UTC(2027, 0, 2, 3, 4, 5)],
  ['2027-01-02T03:04:05', Date.UTC(2027, 0, 2, 3, 4, 5)],
  ['2027-01-02T03:04:05+02:30', Date.UTC(2027, 0, 2, 0, 34, 5)],
  ['2027-01-02T03:04:05-0230', Date.UTC(2027, 0, 2, 5, 34, 5)],
  ['garbage', NaN],
])('%s', (text, want) => expect(msOf(text)).toBe(want));
