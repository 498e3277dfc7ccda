import { readdirSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { basename, delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { demandRunnable, moduleError } from './module-error.ts';
import { registryOf, type Registry } from './registry.ts';
import * as api from './task-api.ts';

const DEEPEST = 5;
/** In a folder these are task modules; everything else is theirs to import. */
const taskModule = /(^|[.-])tasks\.(ts|mts|js|mjs)$/;
const API_URL = 'arpeggio:tasks';

export class TasksNotFound extends Error {
  override readonly name = 'TasksNotFound';
}

/**
 * Loads the task modules at a path, or at several with `:` between: that file, or in a folder every `tasks.ts` and
 * `*-tasks.ts` (also `.js`, `.mjs`, `.mts`), five levels deep. Throws `TasksNotFound`, `DuplicateTask` or `ModuleUnusable`.
 */
export async function loadTasks(path: string): Promise<Registry> {
  offerApi();
  const files = path.split(delimiter).flatMap((each) => filesAt(resolve(each)));
  const modules = await Promise.all(
    files.map(async (file) => {
      const exports = await exportsOf(file);
      return { name: basename(file).replace(/\.\w+$/, ''), exports };
    }),
  );
  return registryOf(modules);
}

async function exportsOf(file: string): Promise<object> {
  demandRunnable(file);
  try {
    return (await import(pathToFileURL(file).href)) as object;
  } catch (error) {
    throw moduleError(file, error);
  }
}

function filesAt(path: string): readonly string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new TasksNotFound(`ARPEGGIO_TASKS: there is nothing at ${path}`);
  if (found.isFile()) return [path];
  const files = search(path, 0);
  if (files.length > 0) return files;
  throw new TasksNotFound(`ARPEGGIO_TASKS: no tasks.ts and no *-tasks.ts (or .js, .mjs, .mts) in ${path}`);
}

function search(folder: string, depth: number): readonly string[] {
  if (depth > DEEPEST) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    // A mounted ConfigMap shows its files through links, once more in a hidden folder.
    if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && statSync(path).isDirectory());
    if (isFolder) return search(path, depth + 1);
    return taskModule.test(entry.name) ? [path] : [];
  });
}

let isOffered = false;

/** Task modules get this very program's API for `arpeggio`, wherever they lie. */
function offerApi(): void {
  if (isOffered) return;
  isOffered = true;
  const holder = globalThis as { [key: symbol]: unknown };
  holder[Symbol.for(API_URL)] = api;
  const source = Object.keys(api)
    .map((name) => `export const ${name} = globalThis[Symbol.for('${API_URL}')].${name};`)
    .join('\n');
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'arpeggio' ? { url: API_URL, shortCircuit: true } : next(specifier, context),
    load: (url, context, next) =>
      url === API_URL ? { format: 'module', source, shortCircuit: true } : next(url, context),
  });
}
