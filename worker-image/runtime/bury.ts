import { isoOf } from '#core/base/iso-date.ts';
import { stringifyJson } from '#core/base/json-text.ts';
import type { DecodeError } from '#core/celery/decode-error.ts';
import { encodeException } from '#core/celery/exception.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { Delivery, Settlement } from '#io/brokers/broker.ts';
import { messageId } from '#io/brokers/message-text.ts';

/** A message that cannot be read is kept for people; where at least its id can be, whoever waits for it is told. */
export function bury(delivery: Delivery, { code, message }: DecodeError, nowMs: number): Settlement {
  const id = messageId(delivery.text);
  const resultText = encodeException({
    type: 'DecodeError',
    messageText: stringifyJson([message]),
    module: 'kombu.exceptions',
  });
  const meta = { status: 'FAILURE', resultText, children: [], traceback: null, dateDone: isoOf(nowMs) };
  return {
    publications: [],
    results: id === undefined ? [] : [{ id, text: encodeResultMeta({ ...meta, id }) }],
    deadLetters: [{ queue: delivery.queue, reason: code, message, text: delivery.text }],
    tag: delivery.tag,
  };
}
