/** What `task` can be told. */
export interface TaskOptions {
  /** The name on the wire. Default: the name under which the module exports the task. */
  readonly name?: string;
  /**
   * Run in the worker's main thread, beside other tasks. For `async` functions that mostly wait: one that computes
   * holds up all others. Default: in a thread of its own.
   */
  readonly inline?: boolean;
  /** Give the context as first argument, before the call's own. */
  readonly bind?: boolean;
  /** How often `retry` may be used before the task fails. Default 3; null without end. */
  readonly maxRetries?: number | null;
  /** Seconds until a retry, unless `retry` says otherwise. Default 180. */
  readonly defaultRetryDelay?: number;
  /** Store STARTED when the task begins: true at once, false never. Default: what the worker is set to, else after a second. */
  readonly trackStarted?: boolean;
}

/** What the worker has to know of a task to handle its messages. */
export interface TaskInfo {
  readonly name: string;
  readonly inline: boolean;
  /** Positional arguments that the function names, the context not counted. */
  readonly arity: number;
  readonly trackStarted: boolean | undefined;
}
