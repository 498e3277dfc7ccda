import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import { tellFailure } from '#worker/runtime/tell-failure.ts';

function told(outcome: Outcome, key = '"uid/3/0"'): unknown[] {
  const [argsText, kwargsText] = ['["secret"]' as JsonText, '{}' as JsonText];
  const headers = new Map([['arpeggio_key', key as JsonText]]);
  const decoded = decodeTaskMessage(
    encodeTaskMessage({ id: 'i', task: 'load', argsText, kwargsText, headers, queue: 'q', deliveryTag: 't' }),
  );
  if (!decoded.ok) throw new Error(decoded.error.message);
  const lines: unknown[] = [];
  const write =
    (level: string) =>
    (fields: object, text: string): void =>
      void lines.push({ level, ...fields, text });
  tellFailure(
    { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    decoded.value,
    outcome,
  );
  return lines;
}

const raised = {
  exception: { type: 'ValueError', messageText: '["secret"]' as JsonText, module: 'builtins' },
  traceback:
    'ValueError: secret\n    at parse (file:///app/tasks/rows.ts:7:1)\n    at Object.load [as call] (file:///app/tasks/tasks.ts:3:9)\n    at run (file:///app/worker.mjs:1:1)',
};

describe('the log of a worker', () => {
  test('tells of a failed task what failed where, and no word of what it was given', () => {
    const [line] = told({ kind: 'Failed', ...raised });
    expect(line).toEqual({
      ...{ level: 'error', task: 'load', taskId: 'i', key: 'uid/3/0', type: 'ValueError', text: 'a task failed' },
      at: ['parse (file:///app/tasks/rows.ts:7:1)', 'Object.load [as call] (file:///app/tasks/tasks.ts:3:9)'],
    });
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  test.each(['NaN', '{"a":1}'])('is not kept from telling by a header that is no key: %s', (key) => {
    const [line] = told({ kind: 'Failed', ...raised }, key);
    expect(line).toMatchObject({ task: 'load', taskId: 'i' });
    expect(line).not.toHaveProperty('key');
  });

  test.each([
    { kind: 'Ignored', text: 'a task raised Ignore: it leaves no result' },
    { kind: 'Requeued', text: 'a task raised Reject: its message is back in its queue' },
  ] as const)('tells of a task that was $kind, which nobody else does', ({ kind, text }) => {
    expect(told({ kind })).toEqual([{ level: 'info', task: 'load', taskId: 'i', key: 'uid/3/0', text }]);
  });

  test('takes no line of a message for a place', () => {
    const traceback = 'ValueError: not\n    at secret\n    at parse (file:///app/tasks/rows.ts:7:1)';
    expect(told({ kind: 'Failed', ...raised, traceback })).toMatchObject([
      { at: ['parse (file:///app/tasks/rows.ts:7:1)'] },
    ]);
  });

  test('does not repeat the message of an error that ended a thread', () => {
    const lost = { message: 'its thread ended with Error: secret', told: 'its thread ended with Error' };
    expect(told({ kind: 'Lost', ...lost })).toMatchObject([{ text: 'a task was lost: its thread ended with Error' }]);
  });

  test.each<{ outcome: Outcome; says: string }>([
    {
      outcome: { kind: 'Retried', afterSeconds: 1, maxRetries: 3, isBare: false, ...raised },
      says: 'a task failed and asks to run again',
    },
    { outcome: { kind: 'NotRegistered' }, says: 'no module of this worker has a task of this name' },
    { outcome: { kind: 'Lost', message: 'exit code 3' }, says: 'a task was lost: exit code 3' },
    {
      outcome: { kind: 'TimedOut', hardSeconds: 3 },
      says: 'a task ran longer than its time limit of 3 s, and was ended',
    },
    {
      outcome: { kind: 'Poisonous', deliveries: 3 },
      says: 'a task was given out 3 times, each time its worker was lost',
    },
  ])('tells of $outcome.kind', ({ outcome, says }) => {
    expect(told(outcome)).toMatchObject([{ task: 'load', taskId: 'i', text: says }]);
  });

  test.each<Outcome>([
    { kind: 'Succeeded', resultText: '1' as JsonText },
    { kind: 'Revoked', reason: 'revoked' },
  ])('says nothing of $kind', (outcome) => {
    expect(told(outcome)).toEqual([]);
  });
});
