import { describe, expect, test } from 'vitest';
import { shareDemand } from '#core/scaling/share-demand.ts';

function aPool(key: string, capacity: number, ...queues: string[]) {
  return { key, capacity, queues };
}
function aLoad(waiting: number, held = 0, inFlight: Record<string, number> = {}) {
  return { waiting, held, inFlight: new Map(Object.entries(inFlight)) };
}

describe('the work of queues', () => {
  test('goes to the only pool whole, however much it is', () => {
    const shares = shareDemand([aPool('a', 5, 'q')], new Map([['q', aLoad(100, 20)]]));
    expect(shares.get('a')).toEqual({ waiting: 100, held: 20, inFlight: 0 });
  });

  test('goes to the first pool up to its capacity and then to the next', () => {
    const pools = [aPool('a', 5, 'q'), aPool('b', 5, 'q')];
    const shares = shareDemand(pools, new Map([['q', aLoad(4, 9)]]));
    expect(shares.get('a')).toEqual({ waiting: 4, held: 1, inFlight: 0 });
    expect(shares.get('b')).toEqual({ waiting: 0, held: 8, inFlight: 0 });
  });

  test('that a pool has taken is its own and uses its capacity', () => {
    const pools = [aPool('a', 5, 'q'), aPool('b', 5, 'q')];
    const shares = shareDemand(pools, new Map([['q', aLoad(3, 0, { a: 4, b: 1 })]]));
    expect(shares.get('a')).toEqual({ waiting: 1, held: 0, inFlight: 4 });
    expect(shares.get('b')).toEqual({ waiting: 2, held: 0, inFlight: 1 });
  });

  test('that unknown workers have counts once', () => {
    const pools = [aPool('a', 5, 'q'), aPool('b', 5, 'q')];
    const shares = shareDemand(pools, new Map([['q', aLoad(0, 0, { '': 3 })]]));
    expect(shares.get('a')?.inFlight).toBe(0);
    expect(shares.get('b')?.inFlight).toBe(3);
  });

  test('adds up over the queues of a pool', () => {
    const pools = [aPool('a', 5, 'q', 'r'), aPool('b', 100, 'r')];
    const shares = shareDemand(
      pools,
      new Map([
        ['q', aLoad(3)],
        ['r', aLoad(10)],
      ]),
    );
    expect(shares.get('a')?.waiting).toBe(5);
    expect(shares.get('b')?.waiting).toBe(8);
  });

  test('is unknown to a pool one of whose queues is unknown, and known to the others', () => {
    const pools = [aPool('a', 5, 'q', 'r'), aPool('b', 5, 'q')];
    const shares = shareDemand(pools, new Map([['q', aLoad(3)]]));
    expect(shares.get('a')).toBeUndefined();
    expect(shares.get('b')?.waiting).toBe(3);
  });
});
