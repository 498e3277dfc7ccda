import { elements, entries } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import { ok, type Result } from '../base/result.ts';
import { malformed, type DecodeError } from './decode-error.ts';
import { decodeSignature, encodeSignature, signature, type Signature } from './signature.ts';

/** Celery's built-in tasks that every worker has: they call one task for each item, one after the other. */
export const mapTask = 'celery.map';
export const starmapTask = 'celery.starmap';

/** What a chunk of a map is sent as; its positional arguments are empty. */
export interface MapCall {
  readonly task: typeof mapTask | typeof starmapTask;
  readonly kwargsText: JsonText;
}

/** A call of `task` for every item: the item is its argument, or its arguments when `unpack` is set and the item a list. */
export function mapCall(task: string, itemsText: JsonText, { unpack }: { readonly unpack: boolean }): MapCall {
  return {
    task: unpack ? starmapTask : mapTask,
    kwargsText: `{"task":${encodeSignature(signature(task))},"it":${itemsText}}` as JsonText,
  };
}

export interface DecodedMap {
  readonly call: Signature;
  readonly items: readonly JsonText[];
}

/** Reads the keyword arguments of `celery.map` or `celery.starmap`. */
export function decodeMapCall(kwargsText: JsonText): Result<DecodedMap, DecodeError> {
  const fields = entries(kwargsText);
  const call = decodeSignature(fields?.get('task') ?? ('null' as JsonText));
  if (!call.ok) return call;
  const items = elements(fields?.get('it') ?? '');
  return items === undefined
    ? malformed('MalformedSignature', 'kwargs.it of a map is not a list')
    : ok({ call: call.value, items });
}
