import { expect, test } from 'vitest';
import { Revocations } from '#worker/runtime/revocations.ts';

const HOURS_3 = 3 * 3_600_000;

test('what was revoked is remembered for three hours, from when it was last heard of', () => {
  const revocations = new Revocations();
  revocations.add(['a', 'b'], 0);
  revocations.add(['a'], 1_000);
  expect(revocations.has('a', HOURS_3)).toBe(true);
  expect(revocations.has('b', HOURS_3)).toBe(false);
  expect(revocations.ids(HOURS_3)).toEqual(['a']);
  expect(revocations.has('a', HOURS_3 + 1_000)).toBe(false);
});

test('no more than 50,000 are remembered, the last ones', () => {
  const revocations = new Revocations();
  revocations.add(
    Array.from({ length: 50_010 }, (_each, index) => `t${index}`),
    0,
  );
  expect(revocations.ids(1)).toHaveLength(50_000);
  expect([revocations.has('t9', 1), revocations.has('t10', 1)]).toEqual([false, true]);
});
