import { existsSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { InlineRunner } from '#worker/runtime/inline-runner.ts';
import type { CallRunner, TaskInfos } from '#worker/runtime/call-runner.ts';
import { ThreadRunner } from '#worker/runtime/thread-runner.ts';
import { loadTasks } from '#worker/tasks/load-tasks.ts';
import { captureOutput, type OutputStream } from './captured-output.ts';
import { Unusable } from '../exit-code.ts';

/** A user's task modules, loaded, and the threads in which they run. */
export interface TaskModules {
  readonly tasks: TaskInfos;
  readonly threads: CallRunner;
  readonly inline: CallRunner;
}

/** Beside this file, in the sources and in the package. */
const threadUrl = new URL(
  import.meta.url.endsWith('.ts') ? './local-task-thread.ts' : './local-task-thread.mjs',
  import.meta.url,
);

/** Loads modules and folders of modules. Throws `Unusable`, with what the module threw. */
export async function openTaskModules(paths: readonly string[]): Promise<TaskModules> {
  const tasksPath = joined(paths);
  const release = captureOutput(writeAside());
  try {
    const threads = await ThreadRunner.open({ url: threadUrl, tasksPath });
    const hasInline = threads.tasks.some(({ inline }) => inline);
    const inline = new InlineRunner(hasInline ? await loadTasks(tasksPath) : new Map());
    return { tasks: new Map(threads.tasks.map((info) => [info.name, info])), threads, inline };
  } catch (error) {
    throw unusable(error);
  } finally {
    release();
  }
}

/** The names of all tasks that modules export. Throws `Unusable`. */
export async function readTaskNames(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const release = captureOutput(writeAside());
  try {
    return new Set((await loadTasks(joined(paths))).keys());
  } catch (error) {
    throw unusable(error);
  } finally {
    release();
  }
}

/** What a module writes while it is loaded: stdout is for results. */
function writeAside(): (stream: OutputStream, line: string) => void {
  const write = process.stderr.write.bind(process.stderr);
  return (_stream, line) => void write(`${line}\n`);
}

function joined(paths: readonly string[]): string {
  for (const path of paths) {
    if (!existsSync(path))
      throw new Unusable(`--tasks: there is nothing at ${path}; give a module or a folder of modules`);
  }
  return paths.map((path) => resolve(path)).join(delimiter);
}

function unusable(error: unknown): Unusable {
  if (error instanceof Unusable) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Unusable(`--tasks: ${message.replace(/^ARPEGGIO_TASKS: /, '')}`);
}
