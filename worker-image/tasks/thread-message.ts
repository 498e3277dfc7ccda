import type { JsonText } from '#core/base/json-text.ts';
import type { CallOutcome, LogLevel, TaskCall } from './call.ts';
import type { TaskInfo } from './task-options.ts';

/** What a task thread is started with. */
export interface TaskThreadData {
  readonly tasksPath: string;
}

export type ToTaskThread =
  | { readonly kind: 'Call'; readonly call: TaskCall }
  | { readonly kind: 'Abort'; readonly reason: string }
  | { readonly kind: 'Stored' };

export type FromTaskThread =
  | { readonly kind: 'Ready'; readonly tasks: readonly TaskInfo[] }
  | { readonly kind: 'Unusable'; readonly message: string }
  | { readonly kind: 'Ended'; readonly outcome: CallOutcome }
  | { readonly kind: 'State'; readonly state: string; readonly metaText: JsonText }
  | {
      readonly kind: 'Log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
