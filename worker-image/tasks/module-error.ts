import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A task module that cannot be loaded: says which one, where in it, why, and what to do. */
export class ModuleUnusable extends Error {
  override readonly name = 'ModuleUnusable';
}

/** What Node runs. */
const runnable = /\.[cm]?[jt]s$/;

/** Throws `ModuleUnusable` for a file that Node would not run, or would take for something else than a module. */
export function demandRunnable(file: string): void {
  if (runnable.test(file)) return;
  const wayOut = file.endsWith('.py')
    ? 'tasks in Python run on Celery workers; without them give stand-ins in TypeScript or JavaScript'
    : 'give a task module that ends in .ts, .mts, .js or .mjs, or a folder of them';
  throw new ModuleUnusable(`${file} is no TypeScript and no JavaScript; ${wayOut}`);
}

/** What loading a module has thrown, for whoever wrote the module. */
export function moduleError(file: string, thrown: unknown): ModuleUnusable {
  if (thrown instanceof ModuleUnusable) return thrown;
  if (!(thrown instanceof Error)) return new ModuleUnusable(`${file} threw ${String(thrown)}`);
  const text = `${placeIn(thrown) ?? file}: ${thrown.name}: ${thrown.message}${wayOutOf(thrown)}`;
  return new ModuleUnusable(text, { cause: thrown });
}

/** Where this program's own files are, in the sources and in the bundle: they stand in the stack of what they load. */
const ownFolder = dirname(fileURLToPath(import.meta.url));

/** `file:line`, by the stack: a syntax error begins with it, and every other has it in the first frame of the user's. */
function placeIn({ stack = '' }: Error): string | undefined {
  const [first = '', ...others] = stack.split('\n');
  const places = [
    /^(?:file:\/\/)?(\/.*:\d+)$/.exec(first)?.[1],
    ...others.map((line) => /^\s+at (?:.* \()?(?:file:\/\/)?(\/.*?:\d+)(?::\d+)?\)?$/.exec(line)?.[1]),
  ];
  return places.find((place) => place !== undefined && dirname(place) !== ownFolder);
}

function wayOutOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return '; Node takes types away and turns nothing into code: write a constant object in place of an enum, assign parameter properties yourself, or give the JavaScript that a compiler made';
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return `; Node ${process.version} runs no TypeScript: use 22.18 or newer`;
  return '';
}
