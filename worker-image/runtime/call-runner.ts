import type { JsonText } from '#core/base/json-text.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import type { LogLevel, TaskCall } from '../tasks/call.ts';
import type { StopReason } from '../tasks/stop-error.ts';
import type { TaskInfo } from '../tasks/task-options.ts';

/** What the worker does for a call while it runs. */
export interface CallSupport {
  /** The call begins now, and so does its time. */
  begin(): void;
  /** Stores a state of the task's own; a failure to store is logged, not thrown. */
  updateState(state: string, metaText: JsonText): Promise<void>;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
  /** Aborts when the task shall stop; its reason's name is a `StopReason`. */
  readonly signal: AbortSignal;
  /** Calls this when the call shall stop; at once if that is so already. */
  onStop(call: (reason: StopReason) => void): void;
  /** Calls this when the call has to end at once, whatever it does; at once if that is so already. */
  onCut(call: () => void): void;
}

/** A place where calls run. Never rejects. */
export interface CallRunner {
  run(call: TaskCall, support: CallSupport): Promise<Outcome>;
  /** Ends it, running calls and all. */
  close(): Promise<void>;
}

/** The tasks of this worker, by name. */
export type TaskInfos = ReadonlyMap<string, TaskInfo>;
