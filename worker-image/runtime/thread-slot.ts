import { Worker } from 'node:worker_threads';
import type { Outcome } from '#core/execution/outcome.ts';
import type { TaskCall } from '../tasks/call.ts';
import type { TaskInfo } from '../tasks/task-options.ts';
import type { FromTaskThread, TaskThreadData, ToTaskThread } from '../tasks/thread-message.ts';
import type { CallSupport } from './call-runner.ts';

const LOADED_WITHIN_MS = 60_000;

/** The task modules could not be loaded. */
export class TasksUnusable extends Error {
  override readonly name = 'TasksUnusable';
}

interface Running {
  /** Of the calls of this thread. */
  readonly n: number;
  readonly support: CallSupport;
  readonly end: (outcome: Outcome) => void;
}

/** One thread that has loaded the tasks and runs one call at a time. When it dies, only its call is lost. */
export class ThreadSlot {
  readonly tasks: readonly TaskInfo[];
  readonly #worker: Worker;
  #running: Running | undefined;
  #calls = 0;
  #isDead = false;

  private constructor(worker: Worker, tasks: readonly TaskInfo[]) {
    this.#worker = worker;
    this.tasks = tasks;
    worker.on('message', (message: FromTaskThread) => this.#hear(message));
    worker.on('error', (error) =>
      this.#die(`its thread ended with ${describe(error)}`, `its thread ended with ${typeOf(error)}`),
    );
    worker.on('exit', (code) => this.#die(`its thread ended with code ${code}`));
  }

  /** Throws `TasksUnusable` when the modules cannot be loaded. */
  static async open(url: URL, data: TaskThreadData): Promise<ThreadSlot> {
    const worker = new Worker(url, { workerData: data, name: 'arpeggio-task' });
    return new ThreadSlot(worker, await firstWord(worker));
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  run(call: TaskCall, support: CallSupport): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#calls += 1;
    const n = this.#calls;
    const end = (outcome: Outcome): void => {
      this.#running = undefined;
      resolve(outcome);
    };
    this.#running = { n, support, end };
    if (this.#isDead) end({ kind: 'Lost', message: 'its thread had ended' });
    else this.#tell({ kind: 'Call', n, call });
    support.begin();
    support.onStop((reason) => {
      if (this.#running?.n === n) this.#tell({ kind: 'Abort', n, reason });
    });
    return promise;
  }

  /** Ends the thread, whatever it does. Its call is lost. */
  async kill(why: string): Promise<void> {
    this.#die(why);
    await this.#worker.terminate();
  }

  #tell(message: ToTaskThread): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromTaskThread): void {
    if (message.kind === 'Ready' || message.kind === 'Unusable') return;
    const { n } = message;
    // What goes on after its call has ended has no voice.
    if (this.#running?.n !== n) return;
    const { support, end } = this.#running;
    if (message.kind === 'Ended') end(message.outcome);
    if (message.kind === 'Log') support.log(message.level, message.message, message.fields);
    if (message.kind === 'State') {
      const { state, name, metaText } = message;
      void support.updateState(name, metaText).then(() => {
        if (!this.#isDead) this.#tell({ kind: 'Stored', n, state });
      });
    }
  }

  /** `told`: why, without words of the user's own. */
  #die(why: string, told = why): void {
    this.#isDead = true;
    this.#running?.end({ kind: 'Lost', message: `Worker exited prematurely: ${why}`, told });
  }
}

/** The tasks that the thread has loaded. */
async function firstWord(worker: Worker): Promise<readonly TaskInfo[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly TaskInfo[]>();
  const hear = (message: FromTaskThread): void => {
    if (message.kind === 'Ready') resolve(message.tasks);
    else reject(new TasksUnusable(message.kind === 'Unusable' ? message.message : 'the thread spoke out of turn'));
  };
  const fail = (error: unknown): void => reject(new TasksUnusable(describe(error)));
  const end = (code: number): void => {
    reject(new TasksUnusable(`a task module ended its thread with code ${code} while it was loaded`));
  };
  const late = new TasksUnusable(`the task modules did not load within ${LOADED_WITHIN_MS} ms`);
  const timer = setTimeout(() => reject(late), LOADED_WITHIN_MS);
  worker.on('message', hear).on('error', fail).on('exit', end);
  try {
    return await promise;
  } catch (error) {
    void worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    worker.off('message', hear).off('error', fail).off('exit', end);
  }
}

function typeOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
