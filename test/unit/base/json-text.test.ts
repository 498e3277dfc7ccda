import { describe, expect, test } from 'vitest';
import { canonicalJson, isRawNumber, parseJson, stringifyJson } from '#core/base/json-text.ts';

describe('JSON that keeps the text of its numbers', () => {
  test.each([
    '1',
    '1.0',
    '-0',
    '1e3',
    '9007199254740993',
    '123456789012345678901234567890',
    '[1.50,{"a":1.0,"b":[2]}]',
    '{"z":1,"a":"1.0"}',
    '"a string with 1.0 and 9007199254740993"',
  ])('%s comes back as it was written', (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  test('an ordinary number is an ordinary number', () => {
    expect(parseJson('[1,2.5]')).toEqual([1, 2.5]);
    expect(isRawNumber(parseJson('1.0'))).toBe(true);
  });

  test('canonical text ignores the order of keys, at every depth, and nothing else', () => {
    expect(canonicalJson(parseJson('{"b":{"y":1.0,"x":[2,1]},"a":null}'))).toBe('{"a":null,"b":{"x":[2,1],"y":1.0}}');
  });
});
