import { elements } from '#core/base/json-span.ts';
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
  const held = heldText(entry);
  const text = markRedelivered(held);
  if (text !== undefined) return [keys.list(queueKey(queue, messagePriority(text))), keys.bell(queue), text];
  return [
    keys.dead(queue),
    '',
    JSON.stringify({
      reason: 'NotJson',
      message: 'the message is no JSON object',
      text: held,
    }),
  ];
}

/** The message in a line of kombu's books; what is no JSON object stands there as a string. */
export function heldText(entry: string): string {
  const held = elements(entry)?.[0];
  return held === undefined ? entry : (decodeString(held) ?? held);
}
