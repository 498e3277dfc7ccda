import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { isPythonJson, parsePythonJson, strictJson } from '#core/base/python-json.ts';

describe('JSON as Python writes it', () => {
  test.each([
    { text: '[NaN, Infinity, -Infinity]', want: [Number.NaN, Infinity, -Infinity] },
    { text: '{"a": NaN, "b": "NaN, \\"Infinity"}', want: { a: Number.NaN, b: 'NaN, "Infinity' } },
    { text: '[-0, 0]', want: [-0, 0] },
  ])('$text is read', ({ text, want }) => expect(parsePythonJson(text)).toEqual(want));

  test.each(['', 'nan', '[NaN', '{"a": Infinit}', 'NaNNaN'])('%j is refused', (text) =>
    expect(isPythonJson(text)).toBe(false),
  );

  test('becomes JSON that everyone reads, numbers as written', () => {
    expect(strictJson('[1.0, NaN, -Infinity, "NaN"]' as JsonText)).toBe('[1.0, "NaN", "-Infinity", "NaN"]');
  });
});
