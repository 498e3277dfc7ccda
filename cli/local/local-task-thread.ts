import { current } from '#worker/tasks/context.ts';
import { captureOutput } from './captured-output.ts';

/** A task thread of the worker image, whose tasks may write to stdout: their lines are logged with the task's name. */
const stderr = process.stderr.write.bind(process.stderr);
captureOutput((stream, line) => {
  try {
    current().log[stream === 'stdout' ? 'info' : 'warn'](line);
  } catch {
    // What a module writes while it is loaded belongs to no task.
    stderr(`${line}\n`);
  }
});
await import('#worker/tasks/task-thread.ts');
