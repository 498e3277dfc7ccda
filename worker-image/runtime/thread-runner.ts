import type { Outcome } from '#core/execution/outcome.ts';
import type { TaskCall } from '../tasks/call.ts';
import type { TaskInfo } from '../tasks/task-options.ts';
import type { CallRunner, CallSupport } from './call-runner.ts';
import { ThreadSlot } from './thread-slot.ts';

const noThread = 'no thread could be begun';

export interface ThreadRunnerOptions {
  /** The thread's program. */
  readonly url: URL;
  readonly tasksPath: string;
}

/** Runs each call in a thread that nobody else uses meanwhile. Threads are kept, begun when needed, replaced when dead. */
export class ThreadRunner implements CallRunner {
  readonly tasks: readonly TaskInfo[];
  readonly #options: ThreadRunnerOptions;
  readonly #idle: ThreadSlot[];
  readonly #busy = new Set<ThreadSlot>();

  private constructor(options: ThreadRunnerOptions, first: ThreadSlot) {
    this.#options = options;
    this.tasks = first.tasks;
    this.#idle = [first];
  }

  /** Begins the first thread, which tells the tasks there are. Throws `TasksUnusable`. */
  static async open(options: ThreadRunnerOptions): Promise<ThreadRunner> {
    return new ThreadRunner(options, await ThreadSlot.open(options.url, { tasksPath: options.tasksPath }));
  }

  async run(call: TaskCall, support: CallSupport): Promise<Outcome> {
    let slot: ThreadSlot;
    try {
      slot = await this.#take();
    } catch (error) {
      const { name, message } = error as Error;
      return { kind: 'Lost', message: `${noThread}: ${message}`, told: `${noThread} (${name})` };
    }
    let isRunning = true;
    support.onCut(() => {
      if (isRunning) void slot.kill('its time was over');
    });
    try {
      return await slot.run(call, support);
    } finally {
      isRunning = false;
      this.#busy.delete(slot);
      if (!slot.isDead) this.#idle.push(slot);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#idle, ...this.#busy].map((slot) => slot.kill('the worker ends')));
  }

  async #take(): Promise<ThreadSlot> {
    let slot = this.#idle.pop();
    while (slot?.isDead === true) slot = this.#idle.pop();
    slot ??= await ThreadSlot.open(this.#options.url, { tasksPath: this.#options.tasksPath });
    this.#busy.add(slot);
    return slot;
  }
}
