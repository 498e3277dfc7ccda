import { describe, expect, test } from 'vitest';
import { fateOf, type Absent, type Fate } from '#core/workflow/absence.ts';

interface Row {
  readonly why: string;
  readonly absent: Partial<Absent>;
  /** When each living worker began. */
  readonly started?: Readonly<Record<string, number>>;
  /** When each leaving worker said so. */
  readonly left?: Readonly<Record<string, number>>;
  readonly fate: Fate;
}

const heldByA = { holder: { nodename: 'a', atMs: 100 } };

const rows: readonly Row[] = [
  { why: 'nobody knows who had it', absent: {}, started: { a: 0 }, fate: 'Lost' },
  { why: 'its holder lives', absent: heldByA, started: { a: 0, b: 0 }, fate: 'NoResult' },
  { why: 'its holder began in that very moment', absent: heldByA, started: { a: 100 }, fate: 'NoResult' },
  { why: 'its holder is gone', absent: heldByA, started: { b: 0 }, fate: 'Lost' },
  { why: 'another process has the name of its holder', absent: heldByA, started: { a: 101 }, fate: 'Lost' },
  { why: 'its holder leaves', absent: heldByA, left: { a: 200 }, fate: 'Unknown' },
  { why: 'another one leaves', absent: heldByA, started: { a: 0 }, left: { b: 200 }, fate: 'NoResult' },
  { why: 'someone leaves who may have it', absent: { sentAtMs: 50 }, left: { b: 50 }, fate: 'Unknown' },
  { why: 'someone left before it was sent', absent: { sentAtMs: 50 }, left: { b: 49 }, fate: 'Lost' },
  { why: 'someone leaves, and nobody knows when it was sent', absent: {}, left: { b: 1 }, fate: 'Unknown' },
];

describe('a message that is nowhere any more', () => {
  test.each(rows)('$fate when $why', ({ absent, started = {}, left = {}, fate }) => {
    const workers = { startedAtMs: new Map(Object.entries(started)), leftAtMs: new Map(Object.entries(left)) };
    expect(fateOf({ holder: undefined, sentAtMs: undefined, ...absent }, workers)).toBe(fate);
  });
});
