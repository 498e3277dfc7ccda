import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedUnclaimed, roomOf, shareEvenly, unclaimedOf, type WindowFacts } from '#core/workflow/share-window.ts';

const idle: WindowFacts = { slots: 10, inFlight: 0, endedLately: 0 };

describe('room in a queue', () => {
  const cases: readonly (readonly [string, Partial<WindowFacts>, number])[] = [
    ['an idle queue takes what fills its slots, two for each of them, and sixteen', {}, 46],
    ['what is in flight fills the slots first', { inFlight: 10 }, 36],
    ['what is beyond the slots waits', { inFlight: 30 }, 16],
    ['a full window takes nothing', { inFlight: 46 }, 0],
    ['slots that went away leave no room, and less than none is none', { slots: 1, inFlight: 46 }, 0],
    ['while no worker is known sixty-four may wait', { slots: undefined }, 64],
    ['the same of a pool without pods', { slots: 0 }, 64],
    ['who ended a hundred within 100 ms finds a hundred', { inFlight: 10, endedLately: 100 }, 100],
    ['the broker tells of workers that nobody knows', { slots: undefined, inFlight: 64, mostWaiting: 0 }, 64],
    ['messages of others in the broker take no room from ours', { inFlight: 10, mostWaiting: 9_000 }, 36],
  ];
  test.each(cases)('%s', (_name, facts, room) => {
    expect(roomOf({ ...idle, ...facts })).toBe(room);
  });

  test('when it is filled, exactly what is allowed is unclaimed', () => {
    const facts = fc.record({
      slots: fc.option(fc.nat(1_000), { nil: undefined }),
      inFlight: fc.nat(5_000),
      endedLately: fc.nat(3_000),
      mostWaiting: fc.option(fc.nat(5_000), { nil: undefined }),
    });
    fc.assert(
      fc.property(facts, (before) => {
        const room = roomOf(before);
        const { mostWaiting } = before;
        const after = {
          ...before,
          inFlight: before.inFlight + room,
          mostWaiting: mostWaiting === undefined ? undefined : mostWaiting + room,
        };
        if (room > 0) expect(unclaimedOf(after)).toBe(allowedUnclaimed(after));
        else expect(unclaimedOf(before)).toBeGreaterThanOrEqual(allowedUnclaimed(before));
      }),
    );
  });
});

describe('sharing places among runs of one priority', () => {
  const cases: readonly (readonly [string, number, readonly number[], readonly number[]])[] = [
    ['one run alone gets all', 7, [100_000], [7]],
    ['two get the same', 10, [50, 50], [5, 5]],
    ['what one does not need goes to the other', 10, [100_000, 1], [9, 1]],
    ['the first in turn get the remainder', 5, [9, 9, 9], [2, 2, 1]],
    ['fewer places than runs go to those whose turn it is', 2, [9, 9, 9], [1, 1, 0]],
    ['nobody gets what they do not want', 9, [1, 0, 2], [1, 0, 2]],
    ['no places are no places', 0, [3, 3], [0, 0]],
  ];
  test.each(cases)('%s', (_name, places, wanted, given) => {
    expect(shareEvenly(places, wanted)).toEqual(given);
  });

  test('every place is used while anyone wants one, nobody gets more than wanted, and nobody less than another for no reason', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.array(fc.nat(200), { maxLength: 30 }), (places, wanted) => {
        const given = shareEvenly(places, wanted);
        const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
        expect(sum(given)).toBe(Math.min(places, sum(wanted)));
        const most = Math.max(0, ...given);
        given.forEach((share, at) => {
          expect(share).toBeLessThanOrEqual(wanted[at]!);
          if (share < wanted[at]!) expect(share).toBeGreaterThanOrEqual(most - 1);
        });
      }),
    );
  });
});
