/**
 * Whole numbers as bytes, seven bits a byte, the least significant first; the top bit says that more follow. Written for
 * what must be small; read without trust: whatever the bytes are, reading ends.
 */
export class PackedNumbers {
  readonly bytes: number[] = [];

  /** Throws RangeError for what is no whole number from 0 to 2^53 - 1. */
  add(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} cannot be packed`);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes.push((rest % 0x80) + 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.bytes.push(rest);
  }
}

/** The bytes were not written by `PackedNumbers`, or not all of them are here. */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';
}

/** Reads numbers in the order in which they were added. Every method throws `UnpackError` where there is none. */
export class UnpackedNumbers {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** So many bytes as they are. */
  takeBytes(count: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#at + count);
    if (bytes.length < count) throw new UnpackError('ends too early');
    this.#at += count;
    return bytes;
  }

  /** The next number, at most `most`. */
  take(most: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new UnpackError('ends too early');
      this.#at += 1;
      value += (byte % 0x80) * scale;
      if (value > most) throw new UnpackError(`${value} is more than ${most}`);
      if (byte < 0x80) return value;
    }
  }
}
