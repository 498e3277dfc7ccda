import { describe, expect, test } from 'vitest';
import { endUnbegun } from '#core/workflow/unbegun.ts';

const why = { reason: 'NoQueue', message: 'spec: no TaskQueue takes task add' } as const;

describe('a Workflow that cannot begin', () => {
  test.each([
    ['goes on waiting', { cancel: false, ageMs: 1e9 }, undefined],
    [
      'goes on waiting while its deadline has not passed',
      { cancel: false, deadlineMs: 5_000, ageMs: 4_999 },
      undefined,
    ],
    ['ends when it is cancelled', { cancel: true, ageMs: 0 }, ['Cancelled', 'it was cancelled before it could begin']],
    [
      'ends when its deadline has passed since it was created',
      { cancel: false, deadlineMs: 5_000, ageMs: 5_000 },
      ['DeadlineExceeded', 'its deadline of 5s passed before it could begin'],
    ],
  ])('%s', (_, asked, expected) => {
    const end = endUnbegun({ why, ...asked });
    const message = `${expected?.[1]}, and no handler was called: NoQueue: spec: no TaskQueue takes task add`;
    expect(end).toEqual(expected === undefined ? undefined : { status: 'False', reason: expected[0], message });
  });

  test.each(['Pending', 'ConnectionNotReady'] as const)('waits for its connection: %s', (reason) => {
    const away = { reason, message: 'connection arpeggio: no answer' };
    expect(endUnbegun({ why: away, cancel: true, deadlineMs: 1, ageMs: 2 })).toBeUndefined();
  });
});
