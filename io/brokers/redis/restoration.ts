import { elements } from '#core/base/json-span.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { queueKey } from '#core/celery/queue-key.ts';
import { markRedelivered } from '#core/celery/redelivery.ts';
import { decodeString } from '#core/celery/signature.ts';
import type { BrokerKeys } from '../broker-keys.ts';
import { messagePriority } from '../message-text.ts';

type Move = readonly [list: string, bell: string, text: string];

/**
 * Where a message goes whose worker is gone: back to the list of its priority, one delivery more on its count. What is
 * no message goes to the dead letters, for it would only come back. `entry` is its line in kombu's books.
 */
export function restoration(entry: string, queue: string, keys: BrokerKeys): Move {
  const held = elements(entry)?.[0] ?? entry;
  const text = markRedelivered(held);
  if (text !== undefined) return [keys.list(queueKey(queue, messagePriority(text))), keys.bell(queue), text];
  return [
    keys.dead(queue),
    '',
    JSON.stringify({
      reason: 'NotJson',
      message: 'the message is no JSON object',
      text: decodeString(held as JsonText) ?? held,
    }),
  ];
}
