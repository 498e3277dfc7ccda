import { entries, objectOf } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import type { TaskMessage } from './task-message.ts';
import { deliveriesHeader } from './task-message.ts';

/**
 * How often this very message, in this retry, was handed out before without an end: what stands in it, and at least
 * once when a broker says `redelivered`.
 */
export function earlierDeliveries(message: Pick<TaskMessage, 'headers' | 'retries' | 'redelivered'>): number {
  const counted = countOf(message.headers.get(deliveriesHeader), message.retries);
  return counted === 0 && message.redelivered ? 1 : counted;
}

/**
 * The message as it goes back to its queue: marked redelivered as kombu marks it, one delivery more in its headers, and
 * every other value as its author wrote it. Undefined when the text is no message: it must then go elsewhere.
 */
export function markRedelivered(raw: string): string | undefined {
  const message = entries(raw);
  const headers = entries(message?.get('headers') ?? '');
  const properties = entries(message?.get('properties') ?? '');
  if (message === undefined || headers === undefined || properties === undefined) return undefined;
  message.set('headers', objectOf(countedOnce(headers)));
  const delivery = entries(properties.get('delivery_info') ?? '') ?? new Map<string, string>();
  properties.set('delivery_info', objectOf(new Map([...delivery, ['redelivered', 'true']])));
  message.set('properties', objectOf(properties));
  return objectOf(message);
}

function countedOnce(headers: ReadonlyMap<string, JsonText>): ReadonlyMap<string, string> {
  const retries = Number(headers.get('retries') ?? 0) || 0;
  const count = countOf(headers.get(deliveriesHeader), retries);
  return new Map([...headers, ['redelivered', 'true'], [deliveriesHeader, `[${retries},${count + 1}]`]]);
}

function countOf(text: string | undefined, retries: number): number {
  const match = /^\[(\d+),\s*(\d+)\]$/.exec(text ?? '');
  return match !== null && Number(match[1]) === retries ? Number(match[2]) : 0;
}
