import { parsePythonJson } from '../base/python-json.ts';
import { ok, type Result } from '../base/result.ts';
import { decodeBase64, encodeJsonBase64 } from './base64.ts';
import { malformed, type DecodeError } from './decode-error.ts';

type Json = Readonly<Record<string, unknown>>;

/** Celery's fanout exchange of remote control; its channel in Redis is `/<db>.<exchange>`. */
export const controlExchange = 'celery.pidbox';

/** kombu's exchange for answers. Who asks binds a queue of its own to it. */
export const replyExchange = 'reply.celery.pidbox';

/** What is said to the workers of a broker. */
export interface ControlRequest {
  readonly method: string;
  readonly arguments: Json;
  /** Nodenames of the workers that are meant; undefined for all, as an empty list is to Celery. */
  readonly destination: readonly string[] | undefined;
  /** A glob that a nodename has to match; undefined for all. */
  readonly pattern: string | undefined;
  /** Where an answer is awaited, and what it has to quote; undefined when none is. */
  readonly reply: { readonly routingKey: string; readonly ticket: string } | undefined;
}

/** The request to run none of these tasks, and to end those that run. */
export function revokeRequest(ids: readonly string[]): ControlRequest {
  return {
    method: 'revoke',
    arguments: { task_id: ids, terminate: true, signal: 'SIGTERM' },
    destination: undefined,
    pattern: undefined,
    reply: undefined,
  };
}

/** A request as Celery's clients publish it; the tag is a fresh UUID. */
export function encodeControlRequest(request: ControlRequest, deliveryTag: string): string {
  const { method, destination = null, pattern = null, reply } = request;
  const asked =
    reply === undefined
      ? {}
      : { ticket: reply.ticket, reply_to: { exchange: replyExchange, routing_key: reply.routingKey } };
  const matcher = pattern === null ? null : 'glob';
  const body = { method, arguments: request.arguments, destination, pattern, matcher, ...asked };
  // Clock 0 moves nobody's; expires 0 is never.
  const place = { exchange: controlExchange, routing_key: '' };
  return messageOf(body, { headers: { clock: 0, expires: 0 }, place, deliveryTag });
}

/** A worker's answer, as kombu publishes it. */
export function encodeControlReply(
  { nodename, answer, clock }: { readonly nodename: string; readonly answer: unknown; readonly clock: number },
  reply: { readonly routingKey: string; readonly ticket: string },
  deliveryTag: string,
): string {
  const place = { exchange: replyExchange, routing_key: reply.routingKey };
  const headers = { ticket: reply.ticket, clock };
  return messageOf({ [nodename]: answer }, { headers, place, deliveryTag });
}

interface Cover {
  readonly headers: Json;
  readonly place: Json;
  readonly deliveryTag: string;
}

function messageOf(body: Json, { headers, place, deliveryTag }: Cover): string {
  return JSON.stringify({
    body: encodeJsonBase64(JSON.stringify(body)),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers,
    properties: {
      delivery_mode: 1,
      delivery_info: place,
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: deliveryTag,
    },
  });
}

/** Reads what a client has published. Never throws. */
export function decodeControlRequest(raw: string): Result<ControlRequest, DecodeError> {
  const body = bodyOf(raw);
  const method = body?.['method'];
  if (body === undefined || typeof method !== 'string') {
    return malformed('MalformedBody', 'a remote control message has no method');
  }
  const [first, ...others] = stringsOf(body['destination']) ?? [];
  const destination = first === undefined ? undefined : [first, ...others];
  const pattern = textOf(body['pattern']);
  if (pattern !== undefined && body['matcher'] === 'pcre') {
    return malformed('MalformedBody', 'workers can be meant by nodename and by glob only');
  }
  const args = objectOf(body['arguments']) ?? {};
  return ok({ method, arguments: args, destination, pattern, reply: replyOf(body) });
}

/** A worker's answer, as it lies in the list of who asked. */
export interface ControlReply {
  readonly ticket: string;
  readonly nodename: string;
  readonly answer: unknown;
}

/** Reads an answer; undefined when it is none. Never throws. */
export function decodeControlReply(raw: string): ControlReply | undefined {
  const ticket = objectOf(objectOf(parseOrUndefined(raw))?.['headers'])?.['ticket'];
  const [reply] = Object.entries(bodyOf(raw) ?? {});
  if (typeof ticket !== 'string' || reply === undefined) return undefined;
  return { ticket, nodename: reply[0], answer: reply[1] };
}

/** The worker that an event of Celery's (`celeryev`) is about; undefined when it says none. Never throws. */
export function nodenameOfEvent(raw: string): string | undefined {
  return textOf(bodyOf(raw)?.['hostname']);
}

/** True when the worker of this nodename is meant. */
export function isMeant(nodename: string, { destination, pattern }: ControlRequest): boolean {
  if (destination !== undefined) return destination.includes(nodename);
  return pattern === undefined || matchesGlob(nodename, pattern);
}

/** `*` and `?` of a glob; in linear time, for the pattern is a stranger's. */
function matchesGlob(text: string, glob: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (!standsAt(text, first, 0)) return false;
  if (last === undefined) return text.length === first.length;
  let at = first.length;
  for (const part of rest) {
    while (at + part.length <= text.length && !standsAt(text, part, at)) at += 1;
    at += part.length;
  }
  return at + last.length <= text.length && standsAt(text, last, text.length - last.length);
}

function standsAt(text: string, part: string, at: number): boolean {
  for (let index = 0; index < part.length; index += 1) {
    if (at + index >= text.length) return false;
    if (part[index] !== '?' && part[index] !== text[at + index]) return false;
  }
  return true;
}

/** The ids in the arguments of `revoke`: one, or a list. */
export function revokedIds({ arguments: args }: ControlRequest): readonly string[] {
  const ids = args['task_id'];
  return typeof ids === 'string' ? [ids] : (stringsOf(ids) ?? []);
}

/** The ids in the arguments of `hello`, with which a worker that starts tells what it knows to be revoked; Celery 5 up to 5.6 gives their times, too. */
export function greetedIds({ arguments: args }: ControlRequest): readonly string[] {
  const { revoked } = args;
  return stringsOf(revoked) ?? Object.keys(objectOf(revoked) ?? {});
}

function replyOf(body: Json): ControlRequest['reply'] {
  const to = objectOf(body['reply_to'])?.['routing_key'];
  const { ticket } = body;
  return typeof to === 'string' && typeof ticket === 'string' ? { routingKey: to, ticket } : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function bodyOf(raw: string): Json | undefined {
  const message = objectOf(parseOrUndefined(raw));
  const body = message?.['body'];
  if (typeof body !== 'string') return undefined;
  const isBase64 = objectOf(message?.['properties'])?.['body_encoding'] === 'base64';
  return objectOf(parseOrUndefined((isBase64 ? decodeBase64(body) : body) ?? ''));
}

function parseOrUndefined(text: string): unknown {
  try {
    return parsePythonJson(text);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The strings of a list; undefined when it is none. */
function stringsOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((each) => typeof each === 'string');
}
