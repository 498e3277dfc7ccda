/** A workflow to be tested: YAML, a file's URL, an object as it would be in YAML, or the spec alone. */
export type GivenWorkflow = string | URL | object;

/** A task, or what stands in for it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a task takes whatever its callers send
export type Task = (...args: any[]) => unknown;

export interface TestOptions {
  /** The tasks by their names: the real ones, or stand-ins. A module's exports will do: `{ ...tasks, train: fake }`. */
  readonly tasks: Readonly<Record<string, unknown>>;
  /** What the clock shows when the workflow begins. Default: 2026-01-01T00:00:00Z. */
  readonly startAt?: Date | string;
  /** Of the Workflow, where the text holds several. */
  readonly name?: string;
  /** Tasks at once. Default 1,000. */
  readonly concurrency?: number;
}

/** One call of a task. */
export interface TestedCall {
  readonly task: string;
  /** Where the task stands, such as `spec.chain[1].group[0]`. */
  readonly path: string;
  /** The place of the item, for a task within a map. */
  readonly item: number | undefined;
  /** Positional arguments as the task got them. */
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** 0 for the first time, then one more for each time that the engine ran it again. */
  readonly attempt: number;
  /** The queue it was sent to. */
  readonly queue: string;
  /** When it began, by the virtual clock. */
  readonly at: Date;
  readonly outcome: 'Running' | 'Succeeded' | 'Failed' | 'Retried' | 'Ignored' | 'Requeued' | 'Stopped';
  /** Where it succeeded. */
  readonly result: unknown;
  /** Where it failed: `ValueError: no`. */
  readonly error: string | undefined;
}

export interface TestedFailure {
  readonly path: string;
  readonly task: string;
  /** The class of the error. */
  readonly type: string;
  readonly message: string;
}

/** What became of a link, linkError or finally whose occasion came. */
export interface TestedHandler {
  readonly kind: 'Link' | 'LinkError' | 'Finally';
  readonly path: string;
  readonly task: string;
  readonly state: string;
}

export interface TestClock {
  /** What the virtual clock shows. */
  readonly now: Date;
  /** Milliseconds since the workflow began. */
  readonly elapsedMs: number;
  /** Lets so much time pass, and everything that happens meanwhile happen: `'1h'`, or milliseconds. */
  advance(duration: string | number): Promise<void>;
}

/** A workflow that runs under a virtual clock. Everything but the clock is that of the operator and of its workers. */
export interface TestedRun {
  /** As in the STATE column: Running, Finalizing, Succeeded, Failed, Cancelled… */
  readonly state: string;
  /** A sentence about the state. */
  readonly message: string;
  /** The final result; undefined while there is none. */
  readonly result: unknown;
  /** Every call of a task, handlers included, in the order in which they began. */
  readonly calls: readonly TestedCall[];
  readonly failures: readonly TestedFailure[];
  readonly handlers: readonly TestedHandler[];
  readonly clock: TestClock;
  /** How the element at this path stands: Waiting, Active, Succeeded, Failed, Skipped… Throws where there is none. */
  stateOf(path: string): string;
  /** The calls of one task. */
  callsOf(task: string): readonly TestedCall[];
  /** Lets time pass until the workflow has ended. Rejects when it never will. */
  finish(): Promise<void>;
  /** As `cancel: true` in the spec. Resolves when nothing more happens without time passing; so do the next three. */
  cancel(): Promise<void>;
  /** As `suspend: true`: what is due waits. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** As `retryFailed` raised by one: when the workflow has ended, what failed or was cancelled runs again. */
  retryFailed(): Promise<void>;
}
