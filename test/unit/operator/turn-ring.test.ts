import { describe, expect, test } from 'vitest';
import { TurnRing } from '#operator/runs/turn-ring.ts';

function ringOf(...all: readonly string[]): TurnRing<string> {
  const ring = new TurnRing<string>();
  for (const one of all) ring.join(one);
  return ring;
}

/** Serves so many, one at a time, as they come. */
function served(ring: TurnRing<string>, times: number): string {
  return Array.from({ length: times }, () => {
    const [one = '-'] = ring.first(1);
    ring.serve(one);
    return one;
  }).join('');
}

describe('turns', () => {
  test('everybody is served once a round, in the order of coming', () => {
    expect(served(ringOf('a', 'b', 'c'), 7)).toBe('abcabca');
  });

  test('a newcomer comes before those who had their turn', () => {
    const ring = ringOf('a');
    expect(served(ring, 3)).toBe('aaa');
    ring.join('b');
    expect(served(ring, 3)).toBe('bab');
  });

  test('newcomers without end do not keep an older one waiting for long', () => {
    const ring = ringOf('a');
    served(ring, 1);
    let waited = 0;
    for (let at = 0; at < 20; at += 1) {
      ring.join(`newcomer ${at}`);
      const [one = ''] = ring.first(1);
      ring.serve(one);
      if (one === 'a') break;
      ring.leave(one);
      waited += 1;
    }
    expect(waited).toBeLessThanOrEqual(3);
  });

  test('who left has no turn, and who comes twice has one', () => {
    const ring = ringOf('a', 'b', 'b', 'c');
    ring.leave('a');
    expect(ring.size).toBe(2);
    expect(ring.first(9)).toEqual(['b', 'c']);
  });
});
