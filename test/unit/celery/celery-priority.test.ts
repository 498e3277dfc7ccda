import { expect, test } from 'vitest';
import { celeryPriority } from '#core/celery/celery-priority.ts';
import { queueKey } from '#core/celery/queue-key.ts';

test.each([
  { priority: undefined, number: 0, list: 'q' },
  { priority: 9, number: 0, list: 'q' },
  { priority: 7, number: 2, list: 'q' },
  { priority: 6, number: 3, list: 'q\x06\x163' },
  { priority: 3, number: 6, list: 'q\x06\x166' },
  { priority: 0, number: 9, list: 'q\x06\x169' },
])('a priority of $priority is $number on Redis, in the list of its step', ({ priority, number, list }) => {
  expect(celeryPriority(priority)).toBe(number);
  expect(queueKey('q', celeryPriority(priority))).toBe(list);
});
