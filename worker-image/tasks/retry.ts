export interface RetryOptions {
  /** Seconds until the next run. Default: the task's `defaultRetryDelay`. */
  readonly countdown?: number;
  /** Why; the task fails with it when no retry is left. Default: MaxRetriesExceededError. */
  readonly error?: Error;
  /** Default: the task's `maxRetries`. */
  readonly maxRetries?: number | null;
}

/** Thrown by `retry`; a task that catches everything must let it pass. */
export class RetryRequest extends Error {
  override readonly name = 'Retry';
  readonly options: RetryOptions;

  constructor(options: RetryOptions) {
    super('Retry', options.error === undefined ? {} : { cause: options.error });
    this.options = options;
  }
}
