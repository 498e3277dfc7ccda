import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { processTimers } from '#io/process-timers.ts';

const dayMs = 86_400_000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test.each([
  ['in a millisecond', 1],
  ['in a second', 1_000],
  ['in 24 days, the longest that a timer of Node can wait', 2 ** 31 - 1],
  ['in 60 days', 60 * dayMs],
])('a call comes %s', (_when, delayMs) => {
  const call = vi.fn();
  processTimers.after(delayMs, call);
  vi.advanceTimersByTime(delayMs - 1);
  expect(call).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  vi.advanceTimersByTime(100 * dayMs);
  expect(call).toHaveBeenCalledOnce();
});

test('a call is taken back in the middle of a long wait', () => {
  const call = vi.fn();
  const takeBack = processTimers.after(60 * dayMs, call);
  vi.advanceTimersByTime(30 * dayMs);
  takeBack();
  vi.advanceTimersByTime(60 * dayMs);
  expect(call).not.toHaveBeenCalled();
});
