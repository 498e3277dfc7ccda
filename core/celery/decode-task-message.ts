import { elements, entries, topLevelSpan } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import { stringifyJson } from '../base/json-text.ts';
import { isPythonJson, parsePythonJson } from '../base/python-json.ts';
import { ok, type Result } from '../base/result.ts';
import { decodeBase64 } from './base64.ts';
import { malformed, type DecodeError } from './decode-error.ts';
import { decodeEmbed } from './embed.ts';
import type { TaskMessage, TimeLimit } from './task-message.ts';

const unreadable =
  'and the body cannot be read so: let the client compress with gzip, brotli or zstd (task_compression), or not at all';

type Json = Readonly<Record<string, unknown>>;
type Body = Pick<TaskMessage, 'argsText' | 'kwargsText' | 'embed'>;

/** The text of a compressed body, given its MIME type and base64; undefined when it cannot be had. Never throws. */
export type Inflate = (type: string, body: string) => string | undefined;

/** Reads what any Celery client may have put into a queue. Never throws. Compressed bodies need `inflate`. */
export function decodeTaskMessage(raw: string, inflate?: Inflate): Result<TaskMessage, DecodeError> {
  const message = objectOf(parseOrUndefined(raw));
  if (message === undefined) return malformed('NotJson', 'the message is not a JSON object');
  const contentType = message['content-type'];
  if (contentType !== 'application/json') {
    return malformed('UnsupportedContentType', `content-type is ${describe(contentType)}, want application/json`);
  }
  const headers = objectOf(message['headers']);
  const properties = objectOf(message['properties']) ?? {};
  if (headers === undefined) return malformed('MissingHeader', 'headers is not an object');
  const lacking = ['task', 'id'].find((name) => typeof headers[name] !== 'string' || headers[name] === '');
  if (lacking !== undefined) {
    return malformed('MissingHeader', `headers.${lacking} is not a string (messages of protocol 1 are not understood)`);
  }
  const body = decodeBody(message['body'], { headers, properties, inflate });
  return body.ok ? decodeRest(raw, headers, properties, body.value) : body;
}

interface BodyCover {
  readonly headers: Json;
  readonly properties: Json;
  readonly inflate: Inflate | undefined;
}

function decodeBody(body: unknown, { headers, properties, inflate }: BodyCover): Result<Body, DecodeError> {
  if (typeof body !== 'string') return malformed('MalformedBody', 'body is not a string');
  const { compression } = headers;
  if (typeof compression === 'string') {
    const text = inflate?.(compression, body);
    return text === undefined
      ? malformed('UnsupportedCompression', `headers.compression is ${describe(compression)}, ${unreadable}`)
      : splitBody(text);
  }
  const text = properties['body_encoding'] === 'base64' ? decodeBase64(body) : body;
  return text === undefined ? malformed('MalformedBody', 'body is not base64 of UTF-8') : splitBody(text);
}

function splitBody(text: string): Result<Body, DecodeError> {
  const parts = elements(text);
  if (parts === undefined || !isPythonJson(text)) return malformed('MalformedBody', 'body is not a JSON array');
  const [argsText, kwargsText, embedText = 'null'] = parts;
  if (argsText?.startsWith('[') !== true) return malformed('MalformedBody', 'body[0] is not an array');
  if (kwargsText?.startsWith('{') !== true) return malformed('MalformedBody', 'body[1] is not an object');
  const embed = decodeEmbed(embedText);
  return embed.ok ? ok({ argsText, kwargsText, embed: embed.value }) : embed;
}

function decodeRest(raw: string, headers: Json, properties: Json, body: Body): Result<TaskMessage, DecodeError> {
  const wrong = ['eta', 'expires'].find((name) => !isDateOrNothing(headers[name]));
  if (wrong !== undefined) return malformed('MalformedHeader', `headers.${wrong} is not an ISO 8601 date`);
  const id = String(headers['id']);
  const delivery = objectOf(properties['delivery_info']) ?? {};
  return ok({
    ...body,
    id,
    task: String(headers['task']),
    shadow: stringOr(headers['shadow'], null),
    eta: stringOr(headers['eta'], null),
    expires: stringOr(headers['expires'], null),
    group: stringOr(headers['group'], null),
    groupIndex: numberOr(headers['group_index'], null),
    retries: numberOr(headers['retries'], 0),
    timelimit: timeLimitOf(headers['timelimit']),
    rootId: stringOr(headers['root_id'], id),
    parentId: stringOr(headers['parent_id'], null),
    ignoreResult: typeof headers['ignore_result'] === 'boolean' ? headers['ignore_result'] : null,
    replacedTaskNesting: numberOr(headers['replaced_task_nesting'], 0),
    stampedHeaders: stringifyJson(headers['stamped_headers'] ?? null),
    stamps: stringifyJson(headers['stamps'] ?? {}),
    headers: customHeaders(raw, headers),
    replyTo: stringOr(properties['reply_to'], ''),
    priority: numberOr(properties['priority'], 0),
    routingKey: stringOr(delivery['routing_key'], ''),
    redelivered: delivery['redelivered'] === true,
  });
}

/** Celery's own headers; whatever else stands there belongs to the user. */
const knownHeaders: ReadonlySet<string> = new Set(
  `lang task id shadow eta expires group group_index retries timelimit root_id parent_id argsrepr kwargsrepr origin
   ignore_result replaced_task_nesting stamped_headers stamps compression redelivered`.split(/\s+/),
);

const none: ReadonlyMap<string, JsonText> = new Map();

/** Strings are read from the parsed headers; anything else is cut from the text, where numbers stand as written. */
function customHeaders(raw: string, headers: Json): ReadonlyMap<string, JsonText> {
  const names = Object.keys(headers).filter((name) => !knownHeaders.has(name));
  if (names.length === 0) return none;
  if (names.every((name) => typeof headers[name] === 'string')) {
    return new Map(names.map((name) => [name, stringifyJson(headers[name])]));
  }
  const span = topLevelSpan(raw, 'headers');
  const all = span === undefined ? undefined : entries(raw.slice(span[0], span[1]));
  return new Map([...(all ?? none)].filter(([name]) => !knownHeaders.has(name)));
}

function timeLimitOf(value: unknown): TimeLimit {
  const [hard, soft] = Array.isArray(value) ? (value as unknown[]) : [];
  return [numberOr(hard, null), numberOr(soft, null)];
}

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;

function isDateOrNothing(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && isoDate.test(value));
}

function parseOrUndefined(raw: string): unknown {
  try {
    return parsePythonJson(raw);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function stringOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' ? value : otherwise;
}

function numberOr<T>(value: unknown, otherwise: T): number | T {
  return typeof value === 'number' ? value : otherwise;
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 64) : value === undefined ? 'missing' : typeof value;
}
