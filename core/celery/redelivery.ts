import { parseJson, stringifyJson } from '../base/json-text.ts';
import type { TaskMessage } from './task-message.ts';
import { deliveriesHeader } from './task-message.ts';

type Json = Record<string, unknown>;

/**
 * How often this very message, in this retry, was handed out before without an end: what stands in it, and at least
 * once when a broker says `redelivered`.
 */
export function earlierDeliveries(message: Pick<TaskMessage, 'headers' | 'retries' | 'redelivered'>): number {
  const counted = countOf(message.headers.get(deliveriesHeader), message.retries);
  return counted === 0 && message.redelivered ? 1 : counted;
}

/**
 * The message as it goes back to its queue: marked redelivered as kombu marks it, one delivery more in its headers.
 * Undefined when the text is no message: it must then go elsewhere.
 */
export function markRedelivered(raw: string): string | undefined {
  try {
    const envelope = parseJson(raw) as Json;
    const headers = envelope['headers'] as Json;
    const properties = envelope['properties'] as Json;
    const retries = Number(headers['retries'] ?? 0);
    const before = headers[deliveriesHeader];
    const count = countOf(before === undefined ? undefined : stringifyJson(before), retries);
    headers['redelivered'] = true;
    headers[deliveriesHeader] = [retries, count + 1];
    properties['delivery_info'] = { ...(properties['delivery_info'] as Json), redelivered: true };
    return stringifyJson(envelope);
  } catch {
    return undefined;
  }
}

function countOf(text: string | undefined, retries: number): number {
  const match = /^\[(\d+),\s*(\d+)\]$/.exec(text ?? '');
  return match !== null && Number(match[1]) === retries ? Number(match[2]) : 0;
}
