import { describe, expect, test } from 'vitest';
import {
  decodeControlRequest,
  encodeControlRequest,
  isMeant,
  revokedIds,
  revokeRequest,
} from '#core/celery/control-message.ts';

/** As a Python client publishes it. */
function asPublished(body: object): string {
  return JSON.stringify({
    body: btoa(JSON.stringify(body)),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { clock: 1, expires: 1795266220.55 },
    properties: {
      delivery_mode: 2,
      delivery_info: { exchange: 'celery.pidbox', routing_key: '' },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: '9a08b686-3fc4-49bf-b226-d68986275f29',
    },
  });
}

const everybody = { destination: null, pattern: null, matcher: null };

describe('a remote control request', () => {
  test('of a Python client is read', () => {
    const body = {
      method: 'ping',
      arguments: {},
      ...everybody,
      ticket: 't-1',
      reply_to: { exchange: 'reply.celery.pidbox', routing_key: 'oid' },
    };
    expect(decodeControlRequest(asPublished(body))).toEqual({
      ok: true,
      value: {
        method: 'ping',
        arguments: {},
        destination: undefined,
        pattern: undefined,
        reply: { routingKey: 'oid', ticket: 't-1' },
      },
    });
  });

  test('of ours is read as it was', () => {
    const request = revokeRequest(['a', 'b']);
    expect(decodeControlRequest(encodeControlRequest(request, 'tag'))).toEqual({ ok: true, value: request });
  });

  test.each([{ text: 'x' }, { text: '{"body": "!"}' }, { text: asPublished({ arguments: {} }) }])(
    'that is none is refused: $text',
    ({ text }) => expect(decodeControlRequest(text)).toMatchObject({ ok: false }),
  );

  test.each([
    { ids: 'one', want: ['one'] },
    { ids: ['one', 2, 'two'], want: ['one', 'two'] },
    { ids: undefined, want: [] },
  ])('revoke names $ids', ({ ids, want }) => {
    const request = decodeControlRequest(asPublished({ method: 'revoke', arguments: { task_id: ids } }));
    expect(request.ok && revokedIds(request.value)).toEqual(want);
  });

  test.each([
    { why: 'all are meant', body: everybody, nodename: 'gpu@a', want: true },
    { why: 'an empty list means all, as in Celery', body: { destination: [] }, nodename: 'gpu@a', want: true },
    { why: 'one by name', body: { destination: ['gpu@a'] }, nodename: 'gpu@a', want: true },
    { why: 'not another', body: { destination: ['gpu@a'] }, nodename: 'gpu@b', want: false },
    { why: 'some by glob', body: { pattern: 'gpu@*', matcher: 'glob' }, nodename: 'gpu@a', want: true },
    { why: 'a glob with a middle', body: { pattern: 'g*u@?-*z', matcher: 'glob' }, nodename: 'gpu@a-xyz', want: true },
    { why: 'a glob that ends too soon', body: { pattern: 'g*u@', matcher: 'glob' }, nodename: 'gpu@a', want: false },
    { why: 'a glob whose ends overlap', body: { pattern: 'gp*pu', matcher: 'glob' }, nodename: 'gpu', want: false },
    {
      why: 'a glob is no regular expression',
      body: { pattern: 'g.u@a', matcher: 'glob' },
      nodename: 'gpu@a',
      want: false,
    },
  ])('$why', ({ body, nodename, want }) => {
    const request = decodeControlRequest(asPublished({ method: 'ping', arguments: {}, ...body }));
    expect(request.ok && isMeant(nodename, request.value)).toBe(want);
  });
});
