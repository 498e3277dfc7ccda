import { brotliDecompressSync, unzipSync, zstdDecompressSync } from 'node:zlib';
import { decodeTaskMessage, type Inflate } from '#core/celery/decode-task-message.ts';

/** A small message may unfold into more than a worker has memory for. */
const MOST_BYTES = 64 * 1024 * 1024;

type Decompress = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer;

/** By kombu's names. Its bzip2 and lzma are not among what Node knows. */
const decompressors: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  // kombu's zlib and gzip are both called so; the first bytes tell them apart.
  ['application/x-gzip', unzipSync],
  ['application/x-brotli', brotliDecompressSync],
  ['application/zstd', zstdDecompressSync],
]);

/** The text of a compressed body. */
const inflate: Inflate = (type, body) => {
  const decompress = decompressors.get(type);
  if (decompress === undefined) return undefined;
  try {
    const bytes = decompress(Buffer.from(body, 'base64'), { maxOutputLength: MOST_BYTES });
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** Reads a message as this worker can. */
export function decodeMessage(text: string): ReturnType<typeof decodeTaskMessage> {
  return decodeTaskMessage(text, inflate);
}
