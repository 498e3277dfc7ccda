import { expect, test } from 'vitest';
import { cutText } from '#core/base/cut-text.ts';

test.each([
  { text: 'abcdef', most: 4, want: 'abcd' },
  { text: 'abcd', most: 4, want: 'abcd' },
  { text: 'ab🎶', most: 4, want: 'ab🎶' },
  { text: 'abc🎶', most: 4, want: 'abc' },
  { text: '🎶🎶🎶', most: 4, want: '🎶🎶' },
  { text: '', most: 4, want: '' },
])('$text cut to $most characters is $want', ({ text, most, want }) => {
  expect(cutText(text, most)).toBe(want);
});
