import { describe, expect, test } from 'vitest';
import { fateOf, type Absent, type Fate } from '#core/workflow/absence.ts';

interface Row {
  readonly why: string;
  readonly absent: Partial<Absent>;
  /** When each living worker began. */
  readonly started?: Readonly<Record<string, number>>;
  /** When each leaving worker said so. */
  readonly left?: Readonly<Record<string, number>>;
  /** Who left before this was not heard. */
  readonly unheardUntil?: number;
  /** Since when they are the same. */
  readonly sameSince?: number;
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
  { why: 'someone leaves who may have it', absent: { unbegunAtMs: 50 }, left: { b: 50 }, fate: 'Unknown' },
  { why: 'someone left before it was sent', absent: { unbegunAtMs: 50 }, left: { b: 49 }, fate: 'Lost' },
  { why: 'someone may have left unheard who has it', absent: { unbegunAtMs: 50 }, unheardUntil: 51, fate: 'Unknown' },
  { why: 'who left unheard did so before it was sent', absent: { unbegunAtMs: 50 }, unheardUntil: 50, fate: 'Lost' },
  { why: 'its holder may have left unheard', absent: heldByA, unheardUntil: 101, fate: 'Unknown' },
  { why: 'its holder would have been heard when it left', absent: heldByA, unheardUntil: 100, fate: 'Lost' },
  {
    why: 'its holder lives, whoever left unheard',
    absent: heldByA,
    started: { a: 0 },
    unheardUntil: 101,
    fate: 'NoResult',
  },
  {
    why: 'its holder’s name is another’s, whoever left unheard',
    absent: heldByA,
    started: { a: 101 },
    unheardUntil: 101,
    fate: 'Lost',
  },
  {
    why: 'it vanished again, and all workers that there were live',
    absent: { unbegunAtMs: 50, wasLost: true },
    started: { a: 0 },
    sameSince: 50,
    fate: 'NoResult',
  },
  { why: 'it vanished for the first time', absent: { unbegunAtMs: 50 }, started: { a: 0 }, sameSince: 0, fate: 'Lost' },
  { why: 'another worker came since', absent: { unbegunAtMs: 50, wasLost: true }, sameSince: 51, fate: 'Lost' },
];

describe('a message that is nowhere any more', () => {
  test.each(rows)('$fate when $why', ({ absent, started = {}, left = {}, unheardUntil, sameSince = 99, fate }) => {
    const [startedAtMs, leftAtMs] = [new Map(Object.entries(started)), new Map(Object.entries(left))];
    const seen = { holder: undefined, unbegunAtMs: 0, wasLost: false, ...absent };
    expect(fateOf(seen, { startedAtMs, leftAtMs, unheardUntilMs: unheardUntil, sameSinceMs: sameSince })).toBe(fate);
  });
});
