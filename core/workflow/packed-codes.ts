import { PackedNumbers, UnpackError, type UnpackedNumbers } from '#core/base/packed-numbers.ts';

/** So many are looked at together: alike, they are told once; else each by a few bits. */
const groupSize = 64;
const bitsOfByte = 8;
const allCodes = 0x10000;

/** Neighbours that are told in one way. */
interface Stretch {
  count: number;
  /** What is among them, rising: one code for all, or each by its place in this list. */
  readonly palette: readonly number[];
  readonly from: number;
}

/** Of so many kinds each place is told, the others are told one by one: whichever takes the fewest bytes. */
const kindsTold = [1, 2, 4, 16] as const;

/**
 * Writes small numbers that stand for something each, and of which there are few different ones: stretches of equal ones
 * cost next to nothing, mixed ones a bit each of two kinds, two bits of four, and rare ones two bytes each.
 */
export function packCodes(numbers: PackedNumbers, codes: Uint16Array): void {
  const frequent = byFrequency(codes);
  const enough = kindsTold.findIndex((kinds) => kinds >= frequent.length);
  const ways = kindsTold
    .slice(0, enough === -1 ? kindsTold.length : enough + 1)
    .map((kinds) => packedWith(codes, frequent.slice(0, kinds)));
  const shortest = ways.reduce((best, way) => (way.bytes.length < best.bytes.length ? way : best));
  numbers.add(codes.length);
  for (const byte of shortest.bytes) numbers.bytes.push(byte);
}

function byFrequency(codes: Uint16Array): readonly number[] {
  const counts = new Uint32Array(allCodes);
  const found: number[] = [];
  for (const code of codes) {
    const count = counts[code] ?? 0;
    if (count === 0) found.push(code);
    counts[code] = count + 1;
  }
  return found.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0));
}

function packedWith(codes: Uint16Array, told: readonly number[]): PackedNumbers {
  const numbers = new PackedNumbers();
  const isTold = new Uint8Array(allCodes);
  for (const code of told) isTold[code] = 1;
  const layer = codes.slice();
  const others: number[] = [];
  for (const [at, code] of codes.entries()) {
    if (isTold[code] === 1) continue;
    layer[at] = told[0] ?? 0;
    others.push(at);
  }
  for (const stretch of stretchesOf(layer)) packStretch(numbers, layer, stretch);
  let last = 0;
  for (const at of others) {
    numbers.add(at - last + 1);
    numbers.add(codes[at] ?? 0);
    last = at;
  }
  numbers.add(0);
  return numbers;
}

function* stretchesOf(codes: Uint16Array): Generator<Stretch> {
  let open: Stretch | undefined;
  for (let from = 0; from < codes.length; from += groupSize) {
    const count = Math.min(groupSize, codes.length - from);
    const palette = paletteOf(codes, from, count);
    if (open !== undefined && isSame(open.palette, palette)) open.count += count;
    else {
      if (open !== undefined) yield open;
      open = { from, count, palette };
    }
  }
  if (open !== undefined) yield open;
}

function paletteOf(codes: Uint16Array, from: number, count: number): readonly number[] {
  const found: number[] = [];
  let last: number | undefined;
  for (let at = from; at < from + count; at += 1) {
    const code = codes[at] ?? 0;
    if (code !== last && !found.includes(code)) found.push(code);
    last = code;
  }
  return found.sort((a, b) => a - b);
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((code, at) => code === other[at]);
}

/** Its length and how many kinds there are, the kinds, and of several which each one is. */
function packStretch(numbers: PackedNumbers, codes: Uint16Array, { from, count, palette }: Stretch): void {
  numbers.add(count);
  numbers.add(palette.length);
  for (const code of palette) numbers.add(code);
  const width = widthOf(palette.length);
  if (width === 0) return;
  let byte = 0;
  let filled = 0;
  for (let at = from; at < from + count; at += 1) {
    byte += palette.indexOf(codes[at] ?? 0) * 2 ** filled;
    filled += width;
    if (filled < bitsOfByte) continue;
    numbers.bytes.push(byte);
    byte = 0;
    filled = 0;
  }
  if (filled > 0) numbers.bytes.push(byte);
}

/** Bits of one of so many kinds: a power of two, so that none lies across two bytes. */
function widthOf(kinds: number): number {
  if (kinds === 1) return 0;
  return kinds <= 2 ? 1 : kinds <= 4 ? 2 : kinds <= 16 ? 4 : bitsOfByte;
}

/** Reads what `packCodes` wrote: at most so many, none above `mostCode`. Throws `UnpackError`. */
export function unpackCodes(numbers: UnpackedNumbers, mostCodes: number, mostCode: number): Uint16Array {
  const codes = new Uint16Array(numbers.take(mostCodes));
  for (let at = 0; at < codes.length;) {
    const count = numbers.take(codes.length - at);
    const palette = Array.from({ length: numbers.take(groupSize) }, () => numbers.take(mostCode));
    if (count === 0 || palette.length === 0) throw new UnpackError(`a stretch of ${count} of ${palette.length} kinds`);
    unpackStretch(numbers, codes.subarray(at, at + count), palette);
    at += count;
  }
  let at = 0;
  for (let gap = numbers.take(codes.length); gap > 0; gap = numbers.take(codes.length - at)) {
    at += gap - 1;
    codes[at] = numbers.take(mostCode);
  }
  return codes;
}

function unpackStretch(numbers: UnpackedNumbers, codes: Uint16Array, palette: readonly number[]): void {
  const width = widthOf(palette.length);
  if (width === 0) {
    codes.fill(palette[0] ?? 0);
    return;
  }
  const bytes = numbers.takeBytes(Math.ceil((codes.length * width) / bitsOfByte));
  for (let at = 0; at < codes.length; at += 1) {
    const bit = at * width;
    const place = Math.floor((bytes[Math.floor(bit / bitsOfByte)] ?? 0) / 2 ** (bit % bitsOfByte)) % 2 ** width;
    const code = palette[place];
    if (code === undefined) throw new UnpackError(`kind ${place} of ${palette.length}`);
    codes[at] = code;
  }
}
