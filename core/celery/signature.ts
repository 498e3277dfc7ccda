import { elements, entries } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import { ok, type Result } from '../base/result.ts';
import { malformed, type DecodeError } from './decode-error.ts';

/** A call described but not made, as it travels in `link`, `link_error`, `chain` and `chord`. Values stay text. */
export interface Signature {
  readonly task: string;
  /** The text of an array. */
  readonly argsText: JsonText;
  /** The text of an object. */
  readonly kwargsText: JsonText;
  /** `apply_async`'s arguments by name (`task_id`, `queue`, `link`…), each as JSON text. */
  readonly options: ReadonlyMap<string, JsonText>;
  /** `chain`, `group`, `chord`… for a canvas; null for a plain task. */
  readonly subtaskType: string | null;
  readonly immutable: boolean;
}

/** A plain task's signature with nothing but what is given. */
export function signature(task: string, given: Partial<Omit<Signature, 'task'>> = {}): Signature {
  return {
    task,
    argsText: '[]' as JsonText,
    kwargsText: '{}' as JsonText,
    options: new Map(),
    subtaskType: null,
    immutable: false,
    ...given,
  };
}

/** All six keys in Celery's order: a worker that misses one fails a task that has already succeeded. */
export function encodeSignature(given: Signature): JsonText {
  return `{${signatureFields(given)}}` as JsonText;
}

/** The six fields without the braces, for the carrier that adds a seventh. */
export function signatureFields(given: Signature): string {
  const options = [...given.options].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',');
  return (
    `"task":${JSON.stringify(given.task)},"args":${given.argsText},"kwargs":${given.kwargsText},` +
    `"options":{${options}},"subtask_type":${JSON.stringify(given.subtaskType)},"immutable":${String(given.immutable)}`
  );
}

/** Only `task` is asked for; Celery's own readers take the rest as empty where they can. */
export function decodeSignature(text: JsonText): Result<Signature, DecodeError> {
  const fields = entries(text);
  if (fields === undefined) return malformed('MalformedSignature', 'a signature is not an object');
  const task = decodeString(fields.get('task'));
  if (task === undefined) return malformed('MalformedSignature', 'signature.task is not a string');
  const argsText = presentOr(fields.get('args'), '[]');
  if (elements(argsText) === undefined) return malformed('MalformedSignature', 'signature.args is not an array');
  const kwargsText = presentOr(fields.get('kwargs'), '{}');
  if (!kwargsText.startsWith('{')) return malformed('MalformedSignature', 'signature.kwargs is not an object');
  const options = entries(presentOr(fields.get('options'), '{}'));
  if (options === undefined) return malformed('MalformedSignature', 'signature.options is not an object');
  const subtaskType = decodeString(fields.get('subtask_type')) ?? null;
  const immutable = fields.get('immutable') === 'true';
  return ok({ task, argsText, kwargsText, options, subtaskType, immutable });
}

/** All or nothing: the first fault stands for the list. */
export function decodeSignatures(texts: readonly JsonText[]): Result<readonly Signature[], DecodeError> {
  const found: Signature[] = [];
  for (const text of texts) {
    const each = decodeSignature(text);
    if (!each.ok) return each;
    found.push(each.value);
  }
  return ok(found);
}

/** A string option; undefined when it is missing, null or something else. */
export function stringOption(given: Signature, name: string): string | undefined {
  return decodeString(given.options.get(name));
}

/** A list option; one signature alone counts as a list of one, as in Celery. */
export function listOption(given: Signature, name: string): readonly JsonText[] {
  const text = given.options.get(name);
  if (text === undefined || text === 'null') return [];
  return elements(text) ?? [text];
}

function presentOr(text: JsonText | undefined, otherwise: string): JsonText {
  return text === undefined || text === 'null' ? (otherwise as JsonText) : text;
}

/** The string that this text is; undefined when it is missing, null or something else. */
export function decodeString(text: JsonText | undefined): string | undefined {
  if (text === undefined || !text.startsWith('"')) return undefined;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
