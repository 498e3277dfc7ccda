import { describe, expect, test } from 'vitest';
import { decodePixmap, encodePixmap, paint, shrink } from '../../../examples/image-thumbnail/pixmap.ts';

describe('the pictures of the thumbnail example', () => {
  test('come back from their text as they were', () => {
    const image = paint(7, 5);
    expect(decodePixmap(encodePixmap(image))).toEqual(image);
  });

  test('shrink to the width asked for and keep their shape', () => {
    const small = shrink(paint(64, 48), 16);
    expect([small.width, small.height, small.pixels.length]).toEqual([16, 12, 16 * 12 * 3]);
  });

  test('a new pixel is the mean of those it stands for', () => {
    const image = { width: 2, height: 2, pixels: new Uint8Array([0, 0, 0, 4, 0, 0, 8, 0, 0, 12, 0, 255]) };
    expect([...shrink(image, 1).pixels]).toEqual([6, 0, 64]);
  });

  test.each([
    { why: 'text that is no picture', text: Buffer.from('hello').toString('base64') },
    { why: 'a picture that ends early', text: Buffer.from('P6\n2 2\n255\nabc').toString('base64') },
  ])('$why is refused', ({ text }) => expect(() => decodePixmap(text)).toThrow(TypeError));
});
