import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { markRedelivered, markRequeued } from '#core/celery/redelivery.ts';
import type { TaskMessageDraft } from '#core/celery/task-message.ts';
import { receive } from '#worker/runtime/receive.ts';

const now = Date.UTC(2026, 0, 1);
const tasks = new Map([['known', { name: 'known', inline: false, arity: 0, trackStarted: undefined }]]);

const around = { tasks, isRevoked: (id: string) => id === 'revoked', nowMs: now };

function text(more: Partial<TaskMessageDraft> = {}): string {
  const [argsText, kwargsText] = ['[]' as JsonText, '{}' as JsonText];
  return encodeTaskMessage({ id: 'i', task: 'known', argsText, kwargsText, queue: 'q', deliveryTag: 't', ...more });
}

const counted = (retries: number, deliveries: number): Partial<TaskMessageDraft> => ({
  headers: new Map([['arpeggio_deliveries', `[${retries}, ${deliveries}]` as JsonText]]),
});

describe('what a worker does with a message that it has taken', () => {
  test.each([
    { why: 'a known task is run', text: text(), want: { todo: 'Run' } },
    {
      why: 'an eta that has come is no matter',
      text: text({ eta: '2025-12-31T23:59:59+00:00' }),
      want: { todo: 'Run' },
    },
    {
      why: 'one that has not is waited for',
      text: text({ eta: '2026-01-01T00:00:02+00:00' }),
      want: { todo: 'Wait', delayMs: 2_000 },
    },
    {
      why: 'an unknown task ends as NotRegistered',
      text: text({ task: 'x' }),
      want: { todo: 'End', outcome: { kind: 'NotRegistered' } },
    },
    {
      why: 'what expired is not run',
      text: text({ expires: '2026-01-01T00:00:00+00:00' }),
      want: { todo: 'End', outcome: { kind: 'Revoked' } },
    },
    { why: 'what expires later is', text: text({ expires: '2026-01-01T00:00:01+00:00' }), want: { todo: 'Run' } },
    {
      why: 'expired counts before an eta',
      text: text({ eta: '2027-01-01T00:00:00Z', expires: '2025-01-01T00:00:00Z' }),
      want: { todo: 'End' },
    },
    { why: 'a third delivery is tried', text: text(counted(0, 2)), want: { todo: 'Run' } },
    {
      why: 'a fourth is not',
      text: text(counted(0, 3)),
      want: { todo: 'End', outcome: { kind: 'Poisonous', deliveries: 3 } },
    },
    {
      why: 'what its task put back is tried again, though it may not run again once it was lost',
      text: markRequeued(text({ headers: new Map([['arpeggio_on_lost', '"Fail"' as JsonText]]) }))!,
      want: { todo: 'Run', message: { redelivered: true } },
    },
    {
      why: 'what its task put back is no more often lost than before',
      text: markRequeued(markRedelivered(text(counted(0, 1)))!)!,
      want: { todo: 'Run', message: { headers: new Map([['arpeggio_deliveries', '[0,2]']]) } },
    },
    {
      why: 'what shall fail when it was lost is not tried a second time',
      text: text({ headers: new Map([...(counted(0, 1).headers ?? []), ['arpeggio_on_lost', '"Fail"' as JsonText]]) }),
      want: { todo: 'End', outcome: { kind: 'Lost' } },
    },
    {
      why: 'and runs the first time',
      text: text({ headers: new Map([['arpeggio_on_lost', '"Fail"' as JsonText]]) }),
      want: { todo: 'Run' },
    },
    { why: 'a retry counts afresh', text: text({ ...counted(0, 3), retries: 1 }), want: { todo: 'Run' } },
    { why: 'an errback carrier is carried', text: text({ task: 'celery.chord_unlock' }), want: { todo: 'Carry' } },
    {
      why: 'a revoked task is not run, be it due or not',
      text: text({ id: 'revoked', eta: '2027-01-01T00:00:00Z' }),
      want: { todo: 'End', outcome: { kind: 'Revoked', reason: 'revoked' } },
    },
    { why: "Celery's map is run", text: text({ task: 'celery.starmap' }), want: { todo: 'Run' } },
    {
      why: "Celery's accumulate gives its arguments",
      text: text({ task: 'celery.accumulate', argsText: '[[1.0, 2], 3]' as JsonText }),
      want: { todo: 'End', outcome: { kind: 'Succeeded', resultText: '[[1.0, 2], 3]' } },
    },
    {
      why: 'or one of them',
      text: text({
        task: 'celery.accumulate',
        argsText: '[[1.0, 2], 3]' as JsonText,
        kwargsText: '{"index": 0}' as JsonText,
      }),
      want: { todo: 'End', outcome: { kind: 'Succeeded', resultText: '[1.0, 2]' } },
    },
    { why: 'what is no message is put aside', text: 'x', want: { todo: 'Bury', error: { code: 'NotJson' } } },
  ])('$why', ({ text, want }) => expect(receive({ text }, around)).toMatchObject(want));
});

test('a message that was taken back after all is not run', () => {
  expect(receive({ text: text(), isWithdrawn: true }, around)).toMatchObject({
    todo: 'End',
    outcome: { kind: 'Revoked', reason: 'revoked' },
  });
});
