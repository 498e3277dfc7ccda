import { stringifyJson, type JsonText } from '../base/json-text.ts';

/** An exception as Celery stores it. Readers never turn the names back into code. */
export interface CeleryException {
  readonly type: string;
  /** The text of the array of the exception's arguments. */
  readonly messageText: JsonText;
  readonly module: string;
}

/** Python's home of each exception that Celery raises itself, and of our own. */
const modules = {
  NotRegistered: 'celery.exceptions',
  MaxRetriesExceededError: 'celery.exceptions',
  TaskRevokedError: 'celery.exceptions',
  ChordError: 'celery.exceptions',
  Reject: 'celery.exceptions',
  SoftTimeLimitExceeded: 'billiard.exceptions',
  TimeLimitExceeded: 'billiard.exceptions',
  WorkerLostError: 'billiard.exceptions',
  EncodeError: 'kombu.exceptions',
  // Not Celery's: a task that kills its workers is no task lost with one, and must not be tried again.
  PoisonMessage: 'arpeggio',
} as const;

export type CeleryExceptionName = keyof typeof modules;

/** One of Celery's own exceptions with these arguments. */
export function celeryException(type: CeleryExceptionName, ...args: readonly unknown[]): CeleryException {
  return { type, messageText: stringifyJson(args), module: modules[type] };
}

/** All three keys: Python clients raise on a failure that lacks `exc_type`. */
export function encodeException({ type, messageText, module }: CeleryException): JsonText {
  return `{"exc_type":${JSON.stringify(type)},"exc_message":${messageText},"exc_module":${JSON.stringify(module)}}` as JsonText;
}

/** As Python shows it, `Boom('kaput', 42)`: the form in which Celery quotes an exception within another. */
export function exceptionRepr({ type, messageText }: CeleryException): string {
  let args: unknown;
  try {
    args = JSON.parse(messageText);
  } catch {
    args = [];
  }
  const list: readonly unknown[] = Array.isArray(args) ? args : [args];
  return `${type}(${list.map(pythonRepr).join(', ')})`;
}

/** Python's `repr` of a JSON value, near enough for people. */
function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quotePython(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  if (typeof value !== 'object') return stringifyJson(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${quotePython(key)}: ${pythonRepr(item)}`)
    .join(', ')}}`;
}

function quotePython(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const inner = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return `${quote}${quote === "'" ? inner.replaceAll("'", "\\'") : inner}${quote}`;
}
