import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elements, entries, prepend, topLevelSpan } from '#core/base/json-span.ts';
import type { JsonText } from '#core/base/json-text.ts';

function cut(text: string, key: string): string | undefined {
  const span = topLevelSpan(text, key);
  return span === undefined ? undefined : text.slice(span[0], span[1]);
}

describe("the span of one key's value", () => {
  test.each([
    { why: 'keeps a number as it was written', text: '{"a": 1.0, "b": 2}', key: 'a', want: '1.0' },
    {
      why: 'keeps more digits than a number holds',
      text: '{"a":12345678901234567890}',
      key: 'a',
      want: '12345678901234567890',
    },
    { why: "keeps Python's NaN", text: '{"status": "SUCCESS", "result": NaN}', key: 'result', want: 'NaN' },
    {
      why: 'does not look into nested objects',
      text: '{"x": {"result": 1}, "result": [2, {"result": 3}]}',
      key: 'result',
      want: '[2, {"result": 3}]',
    },
    { why: 'is not misled by brackets in strings', text: '{"a": "}]\\"{", "b": "x"}', key: 'b', want: '"x"' },
    {
      why: 'takes a backslash before the closing quote for what it is',
      text: '{"a": "\\\\", "b": 1}',
      key: 'b',
      want: '1',
    },
    { why: 'finds a key written with escapes', text: '{"\\u0061b": 1}', key: 'ab', want: '1' },
    { why: 'is undefined when there is no such key', text: '{"a": 1}', key: 'b', want: undefined },
    { why: 'is undefined for an array', text: '["a"]', key: 'a', want: undefined },
    { why: 'is undefined when the text is cut off', text: '{"a": {"b": 1}', key: 'c', want: undefined },
    { why: 'is undefined for nothing', text: '', key: 'a', want: undefined },
  ])('$why', ({ text, key, want }) => expect(cut(text, key)).toBe(want));
});

describe('taking JSON apart', () => {
  test('gives every value of any object, whatever the white space', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, '\t'), (object, space) => {
        const parsed = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
        const found = entries(JSON.stringify(parsed, null, space));
        expect(Object.fromEntries([...found!].map(([key, text]) => [key, JSON.parse(text)]))).toEqual(parsed);
      }),
    );
  });

  test('gives every element of any array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, '\t'), (array, space) => {
        const parsed = JSON.parse(JSON.stringify(array)) as unknown[];
        expect(elements(JSON.stringify(parsed, null, space))!.map((text) => JSON.parse(text) as unknown)).toEqual(
          parsed,
        );
      }),
    );
  });

  test.each(['', '[', '[1', '[1,', '[1,]', '[1 2]', '{}', '[1]x'])('refuses %j as an array', (text) => {
    expect(elements(text)).toBeUndefined();
  });

  test.each(['', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,}', '{a:1}', '[]', '{}x'])(
    'refuses %j as an object',
    (text) => {
      expect(entries(text)).toBeUndefined();
    },
  );

  test.each([
    { rest: '[]', want: '[1.0]' },
    { rest: ' [ 2, 3 ] ', want: '[1.0,2, 3]' },
  ])('prepends to $rest', ({ rest, want }) => expect(prepend('1.0', rest as JsonText)).toBe(want));
});
