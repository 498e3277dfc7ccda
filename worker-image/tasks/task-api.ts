/** What task modules import as `arpeggio`. */
export { current, type TaskContext } from './context.ts';
export { Ignore } from './ignore.ts';
export { Reject, type RejectOptions } from './reject.ts';
export { RetryRequest as Retry, type RetryOptions } from './retry.ts';
export { task, type TaskFunction } from './task.ts';
export type { TaskOptions } from './task-options.ts';
export type { TaskRequest } from './call.ts';
