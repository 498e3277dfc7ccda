import type { Consumer } from '#io/brokers/broker.ts';
import type { ResultStore } from '#io/results/result-store.ts';
import type { CallRunner, TaskInfos } from './call-runner.ts';
import type { DelayedBounds } from './delayed.ts';
import type { WorkerClock } from './worker-clock.ts';

export interface WorkerLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counts the members of Celery's native chords; see io/results. */
export interface ChordCounter {
  /** Writes how many members a chord will have. */
  expect(groupId: string, members: number): Promise<void>;
  /** Reports a member; a token when this was the last one and the body is now this worker's to publish. */
  report(part: { groupId: string; taskId: string; index: number | null; entry: string }): Promise<string | undefined>;
  /** What all members reported, in their order. */
  entries(groupId: string): Promise<readonly string[]>;
  /** The body is out. */
  finish(groupId: string, token: string): Promise<void>;
}

/** Keeps the books fresh of what this worker holds. */
export interface LeaseBooks {
  took(tags: readonly string[]): void;
  released(tags: readonly string[]): void;
}

/** Everything that a worker's loop stands on. */
export interface WorkerPorts extends WorkerClock {
  readonly consumer: Consumer;
  readonly results: ResultStore;
  readonly chords: ChordCounter;
  readonly lease: LeaseBooks;
  readonly threads: CallRunner;
  readonly inline: CallRunner;
  readonly tasks: TaskInfos;
  readonly log: WorkerLog;
  readonly newId: () => string;
}

export interface WorkerSettings {
  readonly queues: readonly string[];
  /** Tasks that run at once. */
  readonly concurrency: number;
  /** Celery's nodename of this worker, which readers of results see: `<pool>@<pod>`. */
  readonly hostname: string;
  /** Store STARTED for every task that does not say otherwise: at once, or never; undefined for those that run longer than a second. */
  readonly trackStarted: boolean | undefined;
  /** Whether the log tells of tasks that failed. Default true. */
  readonly tellsFailures?: boolean;
  /** What is held of messages whose eta has not come. Default: `delayedBounds`. */
  readonly delayed?: DelayedBounds;
}
