import { entries, objectOf } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import type { TaskMessage } from './task-message.ts';
import { deliveriesHeader } from './task-message.ts';

/**
 * How often this very message, in this retry, was handed out before without an end: what stands in it, and without that
 * once when a broker says `redelivered`.
 */
export function earlierDeliveries(message: Pick<TaskMessage, 'headers' | 'retries' | 'redelivered'>): number {
  return countOf(message.headers.get(deliveriesHeader), message.retries) ?? (message.redelivered ? 1 : 0);
}

/**
 * The message as it goes back to its queue: marked redelivered as kombu marks it, one delivery more in its headers, and
 * every other value as its author wrote it. Undefined when the text is no message: it must then go elsewhere.
 */
export function markRedelivered(raw: string): string | undefined {
  return marked(raw, 1);
}

/** The same for a message that its task put back: nobody was lost with it. */
export function markRequeued(raw: string): string | undefined {
  return marked(raw, 0);
}

function marked(raw: string, more: number): string | undefined {
  const message = entries(raw);
  const headers = entries(message?.get('headers') ?? '');
  const properties = entries(message?.get('properties') ?? '');
  if (message === undefined || headers === undefined || properties === undefined) return undefined;
  message.set('headers', objectOf(counted(headers, more)));
  const delivery = entries(properties.get('delivery_info') ?? '') ?? new Map<string, string>();
  properties.set('delivery_info', objectOf(new Map([...delivery, ['redelivered', 'true']])));
  message.set('properties', objectOf(properties));
  return objectOf(message);
}

function counted(headers: ReadonlyMap<string, JsonText>, more: number): ReadonlyMap<string, string> {
  const retries = Number(headers.get('retries') ?? 0) || 0;
  const count = countOf(headers.get(deliveriesHeader), retries) ?? 0;
  return new Map([...headers, ['redelivered', 'true'], [deliveriesHeader, `[${retries},${count + more}]`]]);
}

function countOf(text: string | undefined, retries: number): number | undefined {
  const match = /^\[(\d+),\s*(\d+)\]$/.exec(text ?? '');
  return match !== null && Number(match[1]) === retries ? Number(match[2]) : undefined;
}
