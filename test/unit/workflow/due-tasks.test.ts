import { expect, test } from 'vitest';
import { DueTasks } from '#core/workflow/due-tasks.ts';

test('names a thousand of each way, and counts the others', () => {
  const due = new DueTasks();
  for (let at = 0; at < 3_000; at += 1) due.add(at % 3 === 0 ? 7 : 9, at);
  expect(due.slots).toHaveLength(2_000);
  expect(due.slots.slice(0, 4)).toEqual([0, 1, 2, 3]);
  expect(due.counts()).toEqual(
    new Map([
      [7, 1_000],
      [9, 2_000],
    ]),
  );
});

test('of nothing there is nothing', () => {
  const due = new DueTasks();
  expect([due.slots, due.counts()]).toEqual([[], new Map()]);
});
