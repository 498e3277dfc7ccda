import { describe, expect, test } from 'vitest';
import { decodeResultMeta, exceptionText, resultBytesOf, statusOf } from '#core/celery/result-meta.ts';
import type { JsonText } from '#core/base/json-text.ts';

function decoded(text: string) {
  const result = decodeResultMeta(text);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('a stored result', () => {
  test.each(['1.0', '12345678901234567890', 'NaN', '[1, {"result": 2}]', '"a \\" b"', 'null'])(
    'gives %s as it stands',
    (value) => {
      expect(decoded(`{"status": "SUCCESS", "result": ${value}, "task_id": "x"}`).resultText).toBe(value);
    },
  );

  test.each([
    { why: 'a list', message: '["kaput", 42.0]', text: '["kaput", 42.0]' },
    { why: "an old writer's string", message: '"kaput"', text: '["kaput"]' },
    { why: 'nothing', message: 'null', text: '[]' },
  ])("an exception's arguments as $why", ({ message, text }) => {
    const found = decoded(
      `{"status": "FAILURE", "result": {"exc_type": "Boom", "exc_message": ${message}, "exc_module": "m"}}`,
    );
    expect(found).toMatchObject({ excType: 'Boom', excModule: 'm', excMessageText: text });
  });

  test.each(['', 'x', '[]', 'null', '{"result": 1}', '\0celery-compressed\0zlib\0x'])('%j is refused', (text) => {
    expect(decodeResultMeta(text).ok).toBe(false);
  });

  test.each([
    { prefix: '{"status": "SUCCESS", "result": ', want: 'SUCCESS' },
    { prefix: '{"status":"FAILURE","result":{"e', want: 'FAILURE' },
    { prefix: '{"result": 1, "status": "SUCCESS', want: undefined },
    { prefix: '{"status": "MY_VERY_LONG_STATE_O', want: undefined },
  ])('the state of $prefix is $want', ({ prefix, want }) => expect(statusOf(prefix)).toBe(want));

  const end = '"traceback": null, "children": [], "date_done": "2026-11-21T10:00:00+00:00"';
  const begin = '{"status": "SUCCESS", "result": ';

  test.each([
    { why: "Celery's fields", text: `${begin}"üx", ${end}, "task_id": "t"}`, want: 5 },
    {
      why: 'those of a group',
      text: `${begin}[1], ${end}, "group_id": "g", "parent_id": null, "task_id": "t"}`,
      want: 3,
    },
    { why: 'no children said', text: `${begin}1, ${end.replace('[]', 'null')}, "task_id": "t"}`, want: 1 },
    { why: 'a value like a meta', text: `${begin}{"a": 1, ${end}}, ${end}, "task_id": "t"}`, want: 85 },
    {
      why: 'children',
      text: `${begin}1, ${end.replace('[]', '[[["x", null], null]]')}, "task_id": "t"}`,
      want: undefined,
    },
    { why: 'fields that only some write', text: `${begin}1, ${end}, "args": [1], "task_id": "t"}`, want: undefined },
    { why: 'another state', text: `{"status": "FAILURE", "result": 1, ${end}, "task_id": "t"}`, want: undefined },
  ])('the length of a result by both ends of its meta, with $why: $want', ({ text, want }) => {
    expect(resultBytesOf(Buffer.byteLength(text), text.slice(0, 32), text.slice(-512))).toBe(want);
  });

  test.each([
    { text: '["kaput"]', want: 'kaput' },
    { text: '["kaput", 42]', want: 'kaput, 42' },
    { text: '[]', want: '' },
  ])('people read $text as $want', ({ text, want }) => expect(exceptionText(text as JsonText)).toBe(want));
});
