import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeTaskId,
  encodeTaskId,
  maxAttempt,
  maxMember,
  maxRound,
  maxStep,
  run48Of,
  shardOf,
} from '#core/base/task-id.ts';

const fields = fc.record({
  run48: fc
    .array(fc.constantFrom(...Array.from('0123456789abcdef')), { minLength: 12, maxLength: 12 })
    .map((digits) => digits.join('')),
  round: fc.integer({ min: 0, max: maxRound }),
  step: fc.integer({ min: 0, max: maxStep }),
  member: fc.integer({ min: 0, max: maxMember }),
  attempt: fc.integer({ min: 0, max: maxAttempt }),
  kind: fc.constantFrom('Message' as const, 'Carrier' as const, 'Note' as const),
});

describe('task ids', () => {
  test('say what they were made from', () => {
    fc.assert(
      fc.property(fields, (given) => {
        expect(decodeTaskId(encodeTaskId(given))).toEqual(given);
      }),
      { numRuns: 2_000 },
    );
  });

  test('have the shape of a UUID of version 8 and the variant of RFC 9562', () => {
    fc.assert(
      fc.property(fields, (given) => {
        expect(encodeTaskId(given)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });

  test('keep the layout that stands in live queues', () => {
    const id = encodeTaskId({ run48: '0123456789ab', round: 1, step: 2, member: 3, attempt: 4, kind: 'Carrier' });
    expect(id).toBe('01234567-89ab-8001-8000-0800000c0011');
    const last = encodeTaskId({
      run48: 'ffffffffffff',
      round: maxRound,
      step: maxStep,
      member: maxMember,
      attempt: maxAttempt,
      kind: 'Carrier',
    });
    expect(last).toBe('ffffffff-ffff-8fff-bfff-fffffffffffd');
  });

  test.each([
    { why: "Celery's own uuid4", id: '8c1d6c4e-6f3e-4a8b-9a50-2f36ff2a7c11' },
    { why: 'a kind of a later version', id: '01234567-89ab-8001-8000-0800000c0013' },
    { why: 'no uuid at all', id: 'mine' },
  ])('of others are nobody’s: $why', ({ id }) => {
    expect(decodeTaskId(id)).toBeUndefined();
  });

  test('name their run by the first 48 bits of its UID, and its shard by the first byte', () => {
    const run48 = run48Of('f3a0b1c2-d3e4-4f00-8000-000000000000');
    expect(run48).toBe('f3a0b1c2d3e4');
    expect(shardOf(run48)).toBe(0xf3);
  });
});
