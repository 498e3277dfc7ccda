import { elements, entries } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import { ok, type Result } from '../base/result.ts';
import { malformed, type DecodeError } from './decode-error.ts';
import {
  decodeSignature,
  decodeSignatures,
  decodeString,
  encodeSignature,
  listOption,
  signature,
  signatureFields,
  stringOption,
} from './signature.ts';
import type { Signature } from './signature.ts';

/** The built-in task that calls an errback inside an unmodified worker, with a real request. */
export const carrierTask = 'celery.chord_unlock';

/** What an errback is told, and which one. */
export interface Carrier {
  /** Any text; it appears in the worker's log as the chord's name. */
  readonly groupId: string;
  /** The task that failed: its FAILURE or REVOKED must stand in the result store, a SUCCESS would run it again. */
  readonly failed: {
    readonly id: string;
    readonly task: string;
    readonly argsText: JsonText;
    readonly kwargsText: JsonText;
  };
  /** The id under which the worker stores a ChordError: it says that the errback was called. */
  readonly handlerId: string;
  readonly errbacks: readonly Signature[];
}

/** The arguments of `celery.chord_unlock`; send them with `ignoreResult: true` under an id of their own. */
export function encodeCarrier(carrier: Carrier): { readonly argsText: JsonText; readonly kwargsText: JsonText } {
  const { failed, handlerId, errbacks } = carrier;
  const options = new Map([
    ['task_id', JSON.stringify(handlerId) as JsonText],
    ['link_error', `[${errbacks.map(encodeSignature).join(',')}]` as JsonText],
  ]);
  const callback = signature(failed.task, { argsText: failed.argsText, kwargsText: failed.kwargsText, options });
  const id = JSON.stringify(failed.id);
  // The key `id` beside Celery's six makes `request.id` the failed task's and not the handler's.
  const argsText = `[${JSON.stringify(carrier.groupId)},{${signatureFields(callback)},"id":${id}}]` as JsonText;
  return { argsText, kwargsText: `{"result":[[[${id},null],null]],"max_retries":0}` as JsonText };
}

/** Reads a carrier. A `celery.chord_unlock` of Celery's own, which waits for a real chord, is refused. */
export function decodeCarrier(argsText: JsonText): Result<Carrier, DecodeError> {
  const [groupText, callbackText = 'null' as JsonText] = elements(argsText) ?? [];
  const callback = decodeSignature(callbackText);
  if (!callback.ok) return callback;
  const groupId = decodeString(groupText);
  const id = decodeString(entries(callbackText)?.get('id'));
  const handlerId = stringOption(callback.value, 'task_id');
  if (groupId === undefined || id === undefined || handlerId === undefined) {
    return malformed('MalformedSignature', 'celery.chord_unlock is understood as an errback carrier only');
  }
  const errbacks = decodeSignatures(listOption(callback.value, 'link_error'));
  if (!errbacks.ok) return errbacks;
  const { task, argsText: args, kwargsText } = callback.value;
  return ok({ groupId, failed: { id, task, argsText: args, kwargsText }, handlerId, errbacks: errbacks.value });
}
