import { topLevelSpan } from '../base/json-span.ts';
import { nullText, stringifyJson, type JsonText } from '../base/json-text.ts';
import { parsePythonJson } from '../base/python-json.ts';
import { ok, type Result } from '../base/result.ts';
import { malformed, type DecodeError } from './decode-error.ts';

/** What Celery's Redis backend prepends to a task's id: both the key and the pub/sub channel. */
export const resultKeyPrefix = 'celery-task-meta-';

/** A state as stored. Tasks may set any word of their own, such as `PROGRESS`; `PENDING` is never stored. */
export type TaskStatus = string;

/** The states after which nothing follows. */
export const readyStatuses: ReadonlySet<TaskStatus> = new Set(['SUCCESS', 'FAILURE', 'REVOKED']);

/** States whose `result` is an exception. */
const exceptionStatuses: ReadonlySet<TaskStatus> = new Set(['FAILURE', 'RETRY', 'REVOKED']);

/** One stored result, to be written. */
export interface ResultMeta {
  readonly id: string;
  readonly status: TaskStatus;
  /** The value; or an exception's three fields; or the meta of a state of the task's own. */
  readonly resultText: JsonText;
  readonly traceback?: string | null;
  /** Result tuples of what this run published; null when written outside a task. */
  readonly children?: readonly JsonText[] | null;
  /** ISO 8601 with offset; null for a state that is not final. */
  readonly dateDone: string | null;
  readonly groupId?: string | null;
  readonly parentId?: string | null;
}

/** Celery's field order: a reader may take the state from the first 32 bytes. */
export function encodeResultMeta(meta: ResultMeta): string {
  const children = meta.children === null ? 'null' : `[${(meta.children ?? []).join(', ')}]`;
  const group = meta.groupId == null ? '' : `"group_id": ${JSON.stringify(meta.groupId)}, `;
  const parent = meta.parentId == null ? '' : `"parent_id": ${JSON.stringify(meta.parentId)}, `;
  return (
    `{"status": ${JSON.stringify(meta.status)}, "result": ${meta.resultText}, ` +
    `"traceback": ${meta.traceback == null ? 'null' : JSON.stringify(meta.traceback)}, "children": ${children}, ` +
    `"date_done": ${meta.dateDone === null ? 'null' : JSON.stringify(meta.dateDone)}, ` +
    `${group}${parent}"task_id": ${JSON.stringify(meta.id)}}`
  );
}

/** One stored result, as read. */
export interface StoredResult {
  readonly id: string | undefined;
  readonly status: TaskStatus;
  /** The value's own text, numbers as written; may hold Python's `NaN`. */
  readonly resultText: JsonText;
  /** Of an exception: its class. */
  readonly excType: string | undefined;
  readonly excModule: string | undefined;
  /** Of an exception: its arguments as the text of an array; old writers' bare string becomes an array of one. */
  readonly excMessageText: JsonText | undefined;
  readonly traceback: string | null;
  readonly childrenText: JsonText;
  readonly dateDone: string | null;
  readonly groupId: string | null;
  readonly parentId: string | null;
}

/** Reads what any Celery worker may have stored. Never throws. */
export function decodeResultMeta(text: string): Result<StoredResult, DecodeError> {
  let meta: Record<string, unknown>;
  try {
    meta = parsePythonJson(text) as Record<string, unknown>;
  } catch {
    return malformed('MalformedResult', 'the stored result is not JSON (compressed and pickled results are not read)');
  }
  if (typeof meta !== 'object' || (meta as unknown) === null || typeof meta['status'] !== 'string') {
    return malformed('MalformedResult', 'the stored result has no status');
  }
  const status = meta['status'];
  return ok({
    id: stringOrUndefined(meta['task_id']),
    status,
    resultText: spanText(text, 'result'),
    ...exceptionOf(status, text, meta['result']),
    traceback: stringOrUndefined(meta['traceback']) ?? null,
    childrenText: spanText(text, 'children'),
    dateDone: stringOrUndefined(meta['date_done']) ?? null,
    groupId: stringOrUndefined(meta['group_id']) ?? null,
    parentId: stringOrUndefined(meta['parent_id']) ?? null,
  });
}

const statusFirst = /^\{\s*"status":\s*"([^"\\]*)"/;

/** The state from a meta's first bytes (32 hold every state of Celery's own). Undefined when they do not show it. */
export function statusOf(prefix: string): TaskStatus | undefined {
  return statusFirst.exec(prefix)?.[1];
}

const successFirst = '{"status": "SUCCESS", "result": ';
/** Nothing of a value looks like this at its very end: a quote within a JSON string is escaped. */
const afterResult =
  /, "traceback": null, "children": (?:\[\]|null), "date_done": (?:null|"[ -!#-[\]-~]*")(?:, "[a-z_]+": (?:null|"[ -!#-[\]-~]*"))*\}$/;

/**
 * Bytes of the result alone in the meta of a SUCCESS, told by its length, its first 32 bytes and its last. Undefined when
 * those do not show where the result begins and ends: written by neither Celery nor us, or with children.
 */
export function resultBytesOf(bytes: number, head: string, tail: string): number | undefined {
  const after = head === successFirst ? afterResult.exec(tail) : null;
  return after === null ? undefined : bytes - successFirst.length - after[0].length;
}

type Exception = Pick<StoredResult, 'excType' | 'excModule' | 'excMessageText'>;

const noException: Exception = { excType: undefined, excModule: undefined, excMessageText: undefined };

function exceptionOf(status: TaskStatus, text: string, result: unknown): Exception {
  if (!exceptionStatuses.has(status) || typeof result !== 'object' || result === null) return noException;
  const { exc_type: type, exc_module: module } = result as Record<string, unknown>;
  const message = spanText(spanText(text, 'result'), 'exc_message');
  return {
    excType: stringOrUndefined(type),
    excModule: stringOrUndefined(module),
    excMessageText: message.startsWith('[') ? message : (`[${message === 'null' ? '' : message}]` as JsonText),
  };
}

/** What a person reads of an exception: its arguments, a single string bare. */
export function exceptionText(messageText: JsonText | undefined): string {
  if (messageText === undefined) return '';
  const args = parsePythonJson(messageText) as unknown[];
  const [only] = args;
  if (args.length === 1 && typeof only === 'string') return only;
  return args.map((each) => (typeof each === 'string' ? each : stringifyJson(each))).join(', ');
}

function spanText(text: string, key: string): JsonText {
  const span = topLevelSpan(text, key);
  return span === undefined ? nullText : (text.slice(span[0], span[1]) as JsonText);
}

function stringOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
