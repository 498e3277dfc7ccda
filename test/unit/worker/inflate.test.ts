import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { decodeMessage } from '#worker/runtime/inflate.ts';

interface Message {
  body: string;
  headers: Record<string, unknown>;
}

function compressed(type: string, compress: (bytes: Buffer) => Buffer, argsText = '["ü", 1.0]'): string {
  const [args, kwargsText] = [argsText as JsonText, '{}' as JsonText];
  const draft = { id: 'i', task: 't', argsText: args, kwargsText, queue: 'q', deliveryTag: 'd' };
  const message = JSON.parse(encodeTaskMessage(draft)) as Message;
  message.headers['compression'] = type;
  message.body = compress(Buffer.from(`[${args}, {}, {}]`)).toString('base64');
  return JSON.stringify(message);
}

describe('a compressed message', () => {
  test.each([
    { type: 'application/x-gzip', compress: deflateSync, how: 'as kombu writes gzip' },
    { type: 'application/x-gzip', compress: gzipSync, how: 'as others do' },
    { type: 'application/x-brotli', compress: brotliCompressSync, how: 'brotli' },
    { type: 'application/zstd', compress: zstdCompressSync, how: 'zstd' },
  ])('is read: $how', ({ type, compress }) => {
    expect(decodeMessage(compressed(type, compress))).toMatchObject({ ok: true, value: { argsText: '["ü", 1.0]' } });
  });

  test.each([
    { why: 'by bzip2, which this worker has not', text: compressed('application/x-bz2', gzipSync) },
    { why: 'by lzma, which this worker has not', text: compressed('application/x-lzma', gzipSync) },
    { why: 'that is broken', text: compressed('application/x-gzip', (bytes) => bytes) },
    {
      why: 'that would fill the memory',
      text: compressed('application/x-gzip', gzipSync, `["${'x'.repeat(2 ** 26)}"]`),
    },
  ])('is refused $why', ({ text }) => {
    expect(decodeMessage(text)).toMatchObject({ ok: false, error: { code: 'UnsupportedCompression' } });
  });
});
