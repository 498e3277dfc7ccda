import type { FailureType } from '#core/resources/reasons.ts';
import { cutText } from '#core/base/cut-text.ts';
import { entries } from '#core/base/json-span.ts';
import { nullText, parseJson, stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { strictJson } from '#core/base/python-json.ts';

/** Why a step failed, as Celery says it: the exception's parts, and its traceback. */
export interface Failure {
  /** `{"exc_type": …, "exc_message": …, "exc_module": …}` as the worker stored it. */
  readonly exc: JsonText;
  /** A JSON string or null. */
  readonly traceback: JsonText;
}

/** Stands where Celery names the module of an exception's class. */
const engineModule = 'arpeggio';

/** Tracebacks and exceptions beyond this are cut: they are for reading. */
const keptCharacters = 16 * 1024;

/** How a failure stands in a run's kept results. */
export function encodeFailure(failure: Failure): JsonText {
  const { exc, traceback } = cutFailure(failure);
  return `{"exc":${exc},"traceback":${traceback}}` as JsonText;
}

/** As much of it as is kept: of what is longer, the beginning. */
export function cutFailure({ exc, traceback }: Failure): Failure {
  return {
    exc: exc.length > keptCharacters ? shortened(exc) : exc,
    traceback: traceback.length > keptCharacters ? cut(traceback) : traceback,
  };
}

/** Cut from the text, not parsed: an exception's arguments may hold Python's `NaN`, and numbers stay as written. */
export function decodeFailure(kept: JsonText | undefined): Failure {
  const parts = kept === undefined ? undefined : entries(kept);
  const exc = parts?.get('exc') ?? engineError('Unknown', 'the failure was not kept');
  return { exc, traceback: parts?.get('traceback') ?? nullText };
}

/** A failure that the engine itself establishes, in the form of Celery's exceptions. */
export function engineFailure(type: FailureType | 'Cancelled', message: string): Failure {
  return { exc: engineError(type, message), traceback: nullText };
}

/** Whether the engine established it: then no worker has stored it under the task's id. */
export function isOfEngine(failure: Failure): boolean {
  const value = parseable(failure.exc);
  return value !== null && typeof value === 'object' && 'exc_module' in value && value.exc_module === engineModule;
}

function engineError(type: string, message: string): JsonText {
  return excOf({ type, module: engineModule, message });
}

function excOf({ type, module, message }: ReadError): JsonText {
  return stringifyJson({ exc_type: type, exc_message: [message], exc_module: module });
}

function shortened(exc: JsonText): JsonText {
  const { message, ...whose } = readError(exc);
  return excOf({ ...whose, message: cutText(message, limits.shownErrorCharacters) });
}

function cut(traceback: JsonText): JsonText {
  const text = parseJson(traceback);
  return typeof text === 'string' ? stringifyJson(`${cutText(text, keptCharacters / 2)}\n… cut`) : nullText;
}

export interface ReadError {
  readonly type: string;
  /** Of the exception's class; empty where it is not said. */
  readonly module: string;
  readonly message: string;
}

/** An exception as Celery stored it; old writers keep the message as a string. */
export function readError(exc: JsonText): ReadError {
  const value = parseable(exc);
  if (value === null || typeof value !== 'object') return { type: 'Error', module: '', message: String(value) };
  const { exc_type: type, exc_module: module, exc_message: message } = value as Readonly<Record<string, unknown>>;
  const parts: readonly unknown[] = Array.isArray(message) ? message : message === undefined ? [] : [message];
  const text = parts.map((part) => (typeof part === 'string' ? part : stringifyJson(part))).join(', ');
  return {
    type: typeof type === 'string' ? type : 'Error',
    module: typeof module === 'string' ? module : '',
    message: text,
  };
}

function parseable(text: JsonText): unknown {
  try {
    return parseJson(strictJson(text));
  } catch {
    return text;
  }
}
