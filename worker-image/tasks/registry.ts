import { optionsOf, type TaskFunction } from './task.ts';
import type { TaskInfo, TaskOptions } from './task-options.ts';

export interface RegisteredTask {
  readonly info: TaskInfo;
  readonly call: TaskFunction;
  readonly options: TaskOptions;
  /** The module's name, which stands as the home of its errors. */
  readonly module: string;
}

/** The tasks of a worker, by name. */
export type Registry = ReadonlyMap<string, RegisteredTask>;

export class DuplicateTask extends Error {
  override readonly name = 'DuplicateTask';
}

/** Every function that a module exports is a task. Throws `DuplicateTask` when two modules export one name. */
export function registryOf(modules: readonly { readonly name: string; readonly exports: object }[]): Registry {
  const registry = new Map<string, RegisteredTask>();
  for (const { name: module, exports } of modules) {
    for (const [exported, value] of Object.entries(exports)) {
      if (!isFunction(value)) continue;
      const entry = entryOf(exported, value, module);
      const other = registry.get(entry.info.name);
      if (other !== undefined && other.call !== value) {
        throw new DuplicateTask(
          `modules ${other.module} and ${module} both export a task ${entry.info.name}; rename one or give it a name with task({ name })`,
        );
      }
      registry.set(entry.info.name, entry);
    }
  }
  return registry;
}

function entryOf(exported: string, call: TaskFunction, module: string): RegisteredTask {
  const options = optionsOf(call) ?? {};
  const info: TaskInfo = {
    name: options.name ?? exported,
    inline: options.inline === true,
    arity: Math.max(0, call.length - (options.bind === true ? 1 : 0)),
    trackStarted: options.trackStarted,
  };
  return { info, call, options, module };
}

/** Classes are functions, too, but nobody calls them by a message. */
function isFunction(value: unknown): value is TaskFunction {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}
