import { readdirSync, readFileSync } from 'node:fs';
import { encodeJsonBase64 } from '#core/celery/base64.ts';

export interface CapturedMessage {
  readonly list: string;
  readonly message: Envelope;
}

export interface Envelope {
  body: [unknown[], Record<string, unknown>, Record<string, unknown>];
  headers: Record<string, unknown>;
  properties: Record<string, unknown> & { delivery_info: Record<string, unknown> };
  _body_was?: string;
}

export interface Capture {
  readonly name: string;
  readonly messages: readonly CapturedMessage[];
  readonly results?: readonly { readonly key: string; readonly ttl: string; readonly meta: Record<string, unknown> }[];
}

const folder = new URL('./celery/', import.meta.url);

export function capture(name: string): Capture {
  return { name, ...(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Omit<Capture, 'name'>) };
}

export function captures(): Capture[] {
  return readdirSync(folder).map((file) => capture(file.replace(/\.json$/, '')));
}

/** The text that was on the wire, less the white space. */
export function wireText(message: Envelope): string {
  const { _body_was: _shown, body, ...rest } = message;
  return JSON.stringify({ body: encodeJsonBase64(JSON.stringify(body)), ...rest });
}

/** A message of ours with its body decoded, in the form of a capture. */
export function unwrapped(text: string): Envelope {
  const envelope = JSON.parse(text) as { body: string };
  return { ...envelope, body: JSON.parse(atob(envelope.body)) as Envelope['body'] } as unknown as Envelope;
}

/**
 * A capture without what we write differently on purpose: who sent it, the arguments' representation, an explicit
 * `ignore_result`, an empty list for nothing, and a property that Celery's retry adds by accident.
 */
export function comparable(message: Envelope): string {
  const { _body_was: _shown, ...rest } = structuredClone(message);
  for (const name of ['argsrepr', 'kwargsrepr', 'origin']) rest.headers[name] = '';
  rest.headers['ignore_result'] ??= false;
  const [args, kwargs, embed] = rest.body;
  const links = Object.entries(embed).map(([key, value]) => [key, Array.isArray(value) && value.length === 0 ? null : value]);
  const { origin: _origin, ...properties } = rest.properties;
  return JSON.stringify({ ...rest, body: [args, kwargs, Object.fromEntries(links)], properties });
}
