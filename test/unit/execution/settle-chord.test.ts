import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { settleChord } from '#core/execution/settle-chord.ts';

const text = (value: unknown): JsonText => JSON.stringify(value) as JsonText;
const call = { args: [], kwargs: {}, subtask_type: null, immutable: false };
const errback = { ...call, task: 'oops', options: { task_id: 'errback' } };

function settled(body: unknown) {
  const draft = { id: 'm', task: 't', argsText: text([]), kwargsText: text({}), queue: 'q', deliveryTag: 'd' };
  const member = decodeTaskMessage(encodeTaskMessage(draft));
  if (!member.ok) throw new Error(member.error.message);
  const part = { groupId: 'g', index: 0, status: 'SUCCESS', resultText: text(1), body: text(body) };
  const context = { nowMs: 0, newId: () => 'new', arityOf: () => undefined, origin: 'test' };
  return settleChord(member.value, part, { listText: text([1, 2]) }, context);
}

describe("a chord's body", () => {
  test('is sent with the list of results', () => {
    const { publish, store } = settled({ ...call, task: 'sum', options: { task_id: 'body' } });
    expect(publish.map(({ id, argsText }) => [id, argsText])).toEqual([['body', '[[1,2]]']]);
    expect(store).toEqual([]);
  });

  test.each([
    { why: 'no name', body: { ...call, options: { task_id: 'body' } }, errbacks: [] },
    {
      why: 'a canvas without tasks',
      body: {
        ...call,
        task: 'celery.chain',
        subtask_type: 'chain',
        options: { task_id: 'body', link_error: [errback] },
      },
      errbacks: ['errback'],
    },
  ])('that cannot be sent fails, so that nobody waits for it: $why', ({ body, errbacks }) => {
    const { publish, store } = settled(body);
    expect(publish.map(({ id }) => id)).toEqual(errbacks);
    expect(store).toMatchObject([{ id: 'body', status: 'FAILURE' }]);
    expect(store[0]!.resultText).toContain('ChordError');
  });
});
