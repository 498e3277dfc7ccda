/** A picture in memory: three bytes (red, green, blue) for each pixel, row by row. */
export type Pixmap = { readonly width: number; readonly height: number; readonly pixels: Uint8Array };

/** A sky that fades into a hill: something to look at without an upload. */
export function paint(width: number, height: number): Pixmap {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const hill = y > height * (0.75 - 0.25 * Math.sin((Math.PI * x) / width));
      const light = Math.round((200 * y) / height);
      pixels.set(hill ? [40, 110 + (light >> 2), 50] : [55 + light, 140 + (light >> 1), 255], (y * width + x) * 3);
    }
  }
  return { width, height, pixels };
}

/** Made smaller to that width, keeping its shape; each new pixel is the mean of those it stands for. */
export function shrink(image: Pixmap, width: number): Pixmap {
  const factor = Math.max(1, Math.floor(image.width / width));
  const small = { width: Math.floor(image.width / factor), height: Math.floor(image.height / factor) };
  const pixels = new Uint8Array(small.width * small.height * 3);
  for (let index = 0; index < pixels.length; index += 1) {
    const x = Math.floor(index / 3) % small.width;
    const y = Math.floor(index / 3 / small.width);
    pixels[index] = meanOfBlock(image, { x: x * factor, y: y * factor, channel: index % 3 }, factor);
  }
  return { ...small, pixels };
}

function meanOfBlock(
  { width, pixels }: Pixmap,
  { x, y, channel }: { x: number; y: number; channel: number },
  size: number,
): number {
  let sum = 0;
  for (let row = y; row < y + size; row += 1) {
    for (let column = x; column < x + size; column += 1) sum += pixels[(row * width + column) * 3 + channel] ?? 0;
  }
  return Math.round(sum / size ** 2);
}

/** As a binary PPM file, in base64: JSON carries text only. */
export function encodePixmap({ width, height, pixels }: Pixmap): string {
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]).toString('base64');
}

/** Reads what `encodePixmap` wrote. */
export function decodePixmap(text: string): Pixmap {
  const bytes = Buffer.from(text, 'base64');
  const header = /^P6\n(\d+) (\d+)\n255\n/.exec(bytes.toString('latin1', 0, 32));
  if (header === null) throw new TypeError('not a PPM picture of 8 bits a colour');
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = new Uint8Array(bytes.subarray(header[0].length));
  if (pixels.length !== width * height * 3) {
    throw new TypeError(
      `${width} x ${height} pixels need ${width * height * 3} bytes, the picture has ${pixels.length}`,
    );
  }
  return { width, height, pixels };
}
