import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { parsePythonJson } from '#core/base/python-json.ts';
import { celeryException, type CeleryException } from '#core/celery/exception.ts';
import type { CallHost, CallOutcome, TaskCall } from './call.ts';
import { buildContext, runWithin } from './context.ts';
import { Ignore } from './ignore.ts';
import type { RegisteredTask } from './registry.ts';
import { Reject } from './reject.ts';
import { RetryRequest } from './retry.ts';
import { withTypes } from './typed-value.ts';

const DEFAULT_MAX_RETRIES = 3;
const DEFAULT_RETRY_DELAY_SECONDS = 180;

/** Calls a task's function. Never rejects: whatever it throws is an outcome. */
export async function runTask(task: RegisteredTask, call: TaskCall, host: CallHost): Promise<CallOutcome> {
  try {
    const context = buildContext(call.request, host);
    const args = argumentsOf(call);
    if (task.options.bind === true) args.unshift(context);
    const value: unknown = await runWithin(context, () => task.call(...args));
    return encodeValue(value);
  } catch (error) {
    return thrown(error, task);
  }
}

function thrown(error: unknown, task: RegisteredTask): CallOutcome {
  if (error instanceof RetryRequest) return retried(error, task);
  if (error instanceof Ignore) return { kind: 'Ignored' };
  if (!(error instanceof Reject)) return { kind: 'Failed', ...raisedBy(error, task.module) };
  if (error.requeue) return { kind: 'Requeued' };
  return { kind: 'Failed', exception: celeryException('Reject', error.message, false), traceback: error.stack ?? null };
}

/** Positional arguments, then the keyword arguments as one object if there are any. */
function argumentsOf({ argsText, kwargsText }: TaskCall): unknown[] {
  const args = decode(argsText) as unknown[];
  if (kwargsText !== '{}') {
    const kwargs = decode(kwargsText) as object;
    if (Object.keys(kwargs).length > 0) args.push(kwargs);
  }
  return args;
}

function decode(text: JsonText): unknown {
  const value = parsePythonJson(text);
  return text.includes('"__type__"') ? withTypes(value) : value;
}

function encodeValue(value: unknown): CallOutcome {
  if (value === undefined || value === null) return { kind: 'Succeeded', resultText: 'null' as JsonText };
  try {
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`a ${typeof value} is not JSON`);
    if (value instanceof Map || value instanceof Set) throw new TypeError(`a ${value.constructor.name} is not JSON`);
    return { kind: 'Succeeded', resultText: stringifyValue(value) };
  } catch (error) {
    const { exception, traceback } = raisedBy(error, 'builtins');
    const text = `${exception.type}(${(error as Error).message.split('\n')[0] ?? ''})`;
    return { kind: 'Failed', exception: celeryException('EncodeError', text), traceback };
  }
}

type Replacer = (key: string, value: unknown) => unknown;

function stringifyValue(value: unknown): JsonText {
  try {
    return stringifyJson(value);
  } catch (error) {
    if (!(error instanceof TypeError) || !error.message.includes('BigInt')) throw error;
    const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };
    const digits: Replacer = (_key, each) => (typeof each === 'bigint' ? rawJSON(String(each)) : each);
    return JSON.stringify(value, digits) as JsonText;
  }
}

function retried({ options, stack }: RetryRequest, { options: own, module }: RegisteredTask): CallOutcome {
  const afterSeconds = options.countdown ?? own.defaultRetryDelay ?? DEFAULT_RETRY_DELAY_SECONDS;
  const wanted = options.maxRetries === undefined ? own.maxRetries : options.maxRetries;
  const maxRetries = wanted === undefined ? DEFAULT_MAX_RETRIES : wanted;
  const bare: CeleryException = {
    type: 'Retry',
    messageText: stringifyJson([`Retry in ${afterSeconds}s`]),
    module: 'celery.exceptions',
  };
  const raised =
    options.error === undefined ? { exception: bare, traceback: stack ?? null } : raisedBy(options.error, module);
  return { kind: 'Retried', afterSeconds, maxRetries, isBare: options.error === undefined, ...raised };
}

/** Errors of the language itself, by names that Python has too. */
const builtins: ReadonlySet<string> = new Set(['Error', 'TypeError', 'SyntaxError', 'RangeError', 'ReferenceError']);

/** An error as Celery stores exceptions: its class, its message, and the module of the task that threw it. */
export function raisedBy(error: unknown, module: string): { exception: CeleryException; traceback: string | null } {
  if (!(error instanceof Error)) {
    const exception = { type: 'Error', messageText: stringifyJson([String(error)]), module: 'builtins' };
    return { exception, traceback: null };
  }
  const type = error.name === 'Error' ? error.constructor.name : error.name;
  const home = builtins.has(type) ? 'builtins' : type === 'SoftTimeLimitExceeded' ? 'billiard.exceptions' : module;
  return {
    exception: { type, messageText: stringifyJson([error.message]), module: home },
    traceback: error.stack ?? null,
  };
}
