import type { JsonText } from '#core/base/json-text.ts';
import type { CallOutcome, LogLevel, TaskCall } from './call.ts';
import type { StopReason } from './stop-error.ts';
import type { TaskInfo } from './task-options.ts';

/** What a task thread is started with. */
export interface TaskThreadData {
  readonly tasksPath: string;
}

/** `n` counts a thread's calls: code that goes on after its call has ended speaks for no other. */
export type ToTaskThread =
  | { readonly kind: 'Call'; readonly n: number; readonly call: TaskCall }
  | { readonly kind: 'Abort'; readonly n: number; readonly reason: StopReason }
  | { readonly kind: 'Stored'; readonly n: number; readonly state: number };

export type FromTaskThread =
  | { readonly kind: 'Ready'; readonly tasks: readonly TaskInfo[] }
  | { readonly kind: 'Unusable'; readonly message: string }
  | { readonly kind: 'Ended'; readonly n: number; readonly outcome: CallOutcome }
  /** The `state`th state of the call. */
  | {
      readonly kind: 'State';
      readonly n: number;
      readonly state: number;
      readonly name: string;
      readonly metaText: JsonText;
    }
  | {
      readonly kind: 'Log';
      readonly n: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
