import type { TaskOptions } from './task-options.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a task takes whatever its callers send
export type TaskFunction = (...args: any[]) => unknown;

const marker = Symbol.for('arpeggio.task');

type Marked = TaskFunction & { [marker]?: TaskOptions };

/**
 * Says more of a task than its function does. The function itself is returned, to be exported and called as before:
 * `export const add = task({ name: 'math.add' }, (a, b) => a + b)`.
 */
export function task<F extends TaskFunction>(options: TaskOptions, call: F): F {
  Object.defineProperty(call, marker, { value: options });
  return call;
}

/** What was said of a function; nothing for a plain one. */
export function optionsOf(call: TaskFunction): TaskOptions | undefined {
  return (call as Marked)[marker];
}
