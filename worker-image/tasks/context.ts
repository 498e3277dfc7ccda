import { AsyncLocalStorage } from 'node:async_hooks';
import { stringifyJson } from '#core/base/json-text.ts';
import type { CallHost, LogLevel, TaskRequest } from './call.ts';
import { RetryRequest, type RetryOptions } from './retry.ts';

type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** What a task can ask and say while it runs. */
export interface TaskContext {
  readonly request: TaskRequest;
  /** Aborts when the task shall stop. Give it to `fetch` and its like. */
  readonly signal: AbortSignal;
  /** Lines of the worker's log, with the task's name and id. */
  readonly log: Readonly<Record<LogLevel, Log>>;
  /** Ends this run and asks for another one later. Never returns. */
  readonly retry: (options?: RetryOptions) => never;
  /**
   * Stores a state of the task's own, such as `PROGRESS`, with something about it. Need not be awaited: states are stored
   * in order, the last of a quick series for all of them, and never after the result.
   */
  readonly updateState: (state: string, meta?: unknown) => Promise<void>;
}

const running = new AsyncLocalStorage<TaskContext>();

/** The context of the task in which it is called, however deep. Throws outside a task. */
export function current(): TaskContext {
  const context = running.getStore();
  if (context === undefined) throw new Error('current() has no task: it can only be called while one runs');
  return context;
}

export function runWithin<T>(context: TaskContext, call: () => T): T {
  return running.run(context, call);
}

export function buildContext(request: TaskRequest, host: CallHost): TaskContext {
  const log =
    (level: LogLevel): Log =>
    (message, fields = {}) =>
      host.log(level, message, fields);
  return {
    request,
    get signal() {
      return host.signal();
    },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    retry(options = {}) {
      throw new RetryRequest(options);
    },
    updateState: (state, meta = null) => host.updateState(state, stringifyJson(meta)),
  };
}
