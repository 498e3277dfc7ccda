import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeJsonBase64 } from '#core/celery/base64.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { earlierDeliveries, markRedelivered } from '#core/celery/redelivery.ts';
import type { TaskMessageDraft } from '#core/celery/task-message.ts';

interface Envelope {
  body: string;
  headers: Record<string, unknown>;
  properties: Record<string, unknown>;
  'content-type': string;
}

const draft: TaskMessageDraft = {
  id: 'i1',
  task: 'demo.add',
  argsText: '[1.0, 12345678901234567890, 1e3]' as JsonText,
  kwargsText: '{"name": "größe \u{1f600}", "nan": NaN}' as JsonText,
  queue: 'celery',
  deliveryTag: 't1',
};

function decoded(raw: string) {
  const result = decodeTaskMessage(raw);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function changed(change: (envelope: Partial<Envelope>) => unknown): string {
  const envelope = JSON.parse(encodeTaskMessage({ ...draft, kwargsText: '{}' as JsonText })) as Partial<Envelope>;
  change(envelope);
  return JSON.stringify(envelope);
}

describe('a task message', () => {
  test('keeps the text of its numbers', () => expect(decoded(encodeTaskMessage(draft)).argsText).toBe(draft.argsText));

  test('keeps every character', () => {
    const { kwargsText } = decoded(encodeTaskMessage(draft));
    expect(JSON.parse(kwargsText.replace('NaN', '0'))).toEqual({ name: 'größe \u{1f600}', nan: 0 });
  });

  test('keeps the text of numbers in custom headers', () => {
    const raw = encodeTaskMessage({ ...draft, headers: new Map([['x', '{"ratio": 1.0}' as JsonText]]) });
    expect(decoded(raw).headers.get('x')).toBe('{"ratio": 1.0}');
  });

  test('says nothing of its arguments where workers log them', () => {
    const { headers } = JSON.parse(encodeTaskMessage(draft)) as { headers: Record<string, unknown> };
    expect([headers['argsrepr'], headers['kwargsrepr']]).toEqual(['(...)', '{...}']);
  });
});

describe('what a stranger sent', () => {
  test.each([
    {
      why: 'a body without base64',
      raw: changed((m) => {
        m.body = '[[1], {}, {}]';
        delete m.properties!['body_encoding'];
      }),
    },
    { why: 'no embed at all', raw: changed((m) => (m.body = encodeJsonBase64('[[1], {}, null]'))) },
    { why: 'only task and id as headers', raw: changed((m) => (m.headers = { task: 't', id: 'i' })) },
    { why: 'no properties but the encoding', raw: changed((m) => (m.properties = { body_encoding: 'base64' })) },
    { why: 'an eta with Z and fractions', raw: changed((m) => (m.headers!['eta'] = '2026-01-02T03:04:05.678Z')) },
  ])('is read: $why', ({ raw }) => expect(decodeTaskMessage(raw).ok).toBe(true));

  test.each([
    { why: 'no JSON', raw: 'hello', code: 'NotJson' },
    { why: 'an array', raw: '[]', code: 'NotJson' },
    { why: 'no content type', raw: changed((m) => delete m['content-type']), code: 'UnsupportedContentType' },
    {
      why: 'pickle',
      raw: changed((m) => (m['content-type'] = 'application/x-python-serialize')),
      code: 'UnsupportedContentType',
    },
    { why: 'no headers', raw: changed((m) => delete m.headers), code: 'MissingHeader' },
    { why: 'no id', raw: changed((m) => delete m.headers!['id']), code: 'MissingHeader' },
    { why: 'no task', raw: changed((m) => delete m.headers!['task']), code: 'MissingHeader' },
    { why: 'an eta that is none', raw: changed((m) => (m.headers!['eta'] = 'garbage')), code: 'MalformedHeader' },
    { why: 'a body that is no base64', raw: changed((m) => (m.body = '%%%')), code: 'MalformedBody' },
    {
      why: 'a body that is no JSON',
      raw: changed((m) => (m.body = encodeJsonBase64('[[1], {}, {]'))),
      code: 'MalformedBody',
    },
    {
      why: 'a body without kwargs',
      raw: changed((m) => (m.body = encodeJsonBase64('[[1]]'))),
      code: 'MalformedBody',
    },
    {
      why: 'args that are no array',
      raw: changed((m) => (m.body = encodeJsonBase64('[{}, {}, {}]'))),
      code: 'MalformedBody',
    },
    {
      why: 'callbacks that are no list',
      raw: changed((m) => (m.body = encodeJsonBase64('[[], {}, {"callbacks": 1}]'))),
      code: 'MalformedBody',
    },
    {
      why: 'a compressed body',
      raw: changed((m) => (m.headers!['compression'] = 'application/x-gzip')),
      code: 'UnsupportedCompression',
    },
  ])('is refused by name: $why', ({ raw, code }) => {
    expect(decodeTaskMessage(raw)).toMatchObject({ ok: false, error: { code } });
  });
});

describe('a message that goes back to its queue', () => {
  test('counts its deliveries and is marked as kombu marks it', () => {
    const twice = markRedelivered(markRedelivered(encodeTaskMessage(draft))!)!;
    expect(earlierDeliveries(decoded(twice))).toBe(2);
    expect(decoded(twice)).toMatchObject({ redelivered: true, argsText: draft.argsText });
  });

  test('counts afresh when it was retried', () => {
    const message = decoded(markRedelivered(encodeTaskMessage(draft))!);
    expect(earlierDeliveries({ ...message, retries: 1, redelivered: false })).toBe(0);
  });

  test('has been out once when another broker client says redelivered', () => {
    expect(earlierDeliveries({ headers: new Map(), retries: 0, redelivered: true })).toBe(1);
  });

  test('keeps what only Python writes', () => {
    const raw = encodeTaskMessage({ ...draft, headers: new Map([['x-odd', '[NaN, 1.0, 1e999]' as JsonText]]) });
    const back = markRedelivered(raw)!;
    expect(decoded(back).headers.get('x-odd')).toBe('[NaN, 1.0, 1e999]');
    expect(earlierDeliveries(decoded(back))).toBe(1);
  });

  test('must be a message', () => expect(markRedelivered('[]')).toBeUndefined());
});
