import { describe, expect, test } from 'vitest';
import { LateStarts } from '#worker/runtime/late-starts.ts';
import { HandClock } from '../../support/hand-clock.ts';

function watched() {
  const clock = new HandClock();
  const timers: number[] = [];
  const starts = new LateStarts({
    nowMs: () => clock.nowMs(),
    after: (delayMs, call) => {
      timers.push(delayMs);
      return clock.after(delayMs, call);
    },
  });
  const told: string[] = [];
  return { clock, timers, starts, told, begin: (tag: string) => starts.began(tag, () => told.push(tag)) };
}

describe('tasks that have begun', () => {
  test('are told once they have run for a second, each once', async () => {
    const { clock, told, begin } = watched();
    begin('a');
    await clock.turn(400);
    begin('b');
    await clock.turn(599);
    expect(told).toEqual([]);
    await clock.turn(1);
    expect(told).toEqual(['a']);
    await clock.turn(400);
    expect(told).toEqual(['a', 'b']);
    await clock.turn(60_000);
    expect(told).toEqual(['a', 'b']);
  });

  test('are not told when they ended before, and cost one timer however many they are', async () => {
    const { clock, timers, starts, told, begin } = watched();
    for (let index = 0; index < 1_000; index += 1) {
      begin(`short-${index}`);
      starts.ended(`short-${index}`);
    }
    begin('long');
    await clock.turn(1_000);
    expect([told, timers]).toEqual([['long'], [1_000]]);
    begin('again');
    await clock.turn(1_000);
    expect([told, timers]).toEqual([
      ['long', 'again'],
      [1_000, 1_000],
    ]);
  });
});
