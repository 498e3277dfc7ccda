import type { JsonText } from '#core/base/json-text.ts';
import type { Outcome } from '#core/execution/outcome.ts';

/** What a task may know of the message that called it; Celery's `request`. Everything in it may cross to a thread. */
export interface TaskRequest {
  readonly id: string;
  readonly task: string;
  /** 0 for the first run. */
  readonly retries: number;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly group: string | null;
  readonly groupIndex: number | null;
  readonly eta: string | null;
  readonly expires: string | null;
  readonly queue: string;
  readonly priority: number;
  readonly redelivered: boolean;
  /** Headers that Celery does not know. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** `<workflow uid>/<step>/<member>`: the same over attempts. Undefined outside a Workflow. */
  readonly key: string | undefined;
  /** The worker that runs it. */
  readonly hostname: string;
}

/** One call of a task. */
export interface TaskCall {
  readonly request: TaskRequest;
  readonly argsText: JsonText;
  readonly kwargsText: JsonText;
}

/** How a call can end by what the task's own code does. */
export type CallOutcome = Extract<
  Outcome,
  { kind: 'Succeeded' | 'Failed' | 'Retried' | 'Ignored' | 'Requeued' | 'NotRegistered' }
>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a running task may ask of its worker. */
export interface CallHost {
  updateState(state: string, metaText: JsonText): Promise<void>;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
  /** Aborts when the task shall stop: soft time limit, shutdown, or the message is no longer this worker's. */
  signal(): AbortSignal;
}
