import { expect, test } from 'vitest';
import { TurnPace } from '#operator/runs/turn-pace.ts';
import { HandClock, settle } from '../../support/hand-clock.ts';

test.each([
  [100, 0],
  [4_999, 0],
  [20_000, 4],
  [100_000, 20],
  [250_000, 20],
])('a run of %i slots rests for %i ms between turns', async (slots, restMs) => {
  const clock = new HandClock();
  const pace = new TurnPace(clock);
  const turnsMs: number[] = [];
  const beganMs = clock.nowMs();
  pace.begin(() => turnsMs.push(clock.nowMs() - beganMs));
  await settle(2);
  expect(pace.rests(slots)).toBe(restMs > 0);
  pace.begin(() => turnsMs.push(clock.nowMs() - beganMs));
  await settle(2);
  await clock.turn(30);
  expect(turnsMs).toEqual([0, restMs]);
});
