import { expect, test } from 'vitest';
import { owningMap, placeOfSlot, slotIndexOf } from '#core/workflow/unfolded.ts';

/** A plan of 12 steps: a map at 2 whose `each` has three steps, one at 7 whose `each` is a task. */
const maps = new Map([
  [7, { base: 12, count: 4, width: 1 }],
  [2, { base: 16, count: 5, width: 3 }],
]);

test.each([
  { step: 0, member: 0, at: 0 },
  { step: 2, member: 0, at: 2 },
  { step: 3, member: 0, at: 16 },
  { step: 5, member: 0, at: 18 },
  { step: 3, member: 1, at: 19 },
  { step: 5, member: 4, at: 30 },
  { step: 6, member: 0, at: 6 },
  { step: 7, member: 0, at: 7 },
  { step: 8, member: 0, at: 12 },
  { step: 8, member: 3, at: 15 },
  { step: 9, member: 0, at: 9 },
  { step: 11, member: 0, at: 11 },
])('step $step of member $member stands in slot $at, and back', ({ step, member, at }) => {
  expect(slotIndexOf(maps, { step, member })).toBe(at);
  expect(placeOfSlot(maps, at)).toEqual({ step, member });
});

test('a map itself, what stands beside it, and what stands in an empty one, belong to no member', () => {
  expect([2, 6, 7, 9].map((step) => owningMap(maps, step))).toEqual([undefined, undefined, undefined, undefined]);
  expect(owningMap(maps, 5)?.map).toBe(2);
  const empty = new Map([[2, { base: 12, count: 0, width: 3 }]]);
  expect(placeOfSlot(empty, 12)).toEqual({ step: 12, member: 0 });
});
