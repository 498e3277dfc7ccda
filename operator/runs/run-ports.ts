import type { PayloadLimits } from '#core/base/payload-limits.ts';
import type { Census } from '#io/brokers/census.ts';
import type { ResultStore } from '#io/results/result-store.ts';
import type { RunStore } from '#io/runs/run-store.ts';

/** Time as the shell sees it; tests turn it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Calls once, after at least so long; the returned function takes it back. */
  after(delayMs: number, call: () => void): () => void;
  /** Calls once, when what has already arrived was looked at. */
  soon(call: () => void): void;
}

export interface RunLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Where the lists of a queue are, for a message that a script cannot push itself. */
export interface OutboxEntry {
  readonly broker: string;
  readonly list: string;
  readonly bell: string;
  readonly message: string;
}

export interface LeavingListener {
  /** Told the nodename. */
  readonly left: (nodename: string) => void;
  /** Told when listening began, and when it began again: what was said before may not have been heard. */
  readonly missed: () => void;
}

/** Which messages of a queue still exist, as read from the broker; see `Absences`. */
export interface Whereabouts {
  /** Ids of ours among the given ones that are in a list of the queue or in a worker's hands. */
  present(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  /** Removes waiting messages of these ids and says which; those in a worker's hands stay. */
  withdraw(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  /** Asks every worker to run none of these, and to stop those that run. */
  revoke(ids: ReadonlySet<string>): Promise<void>;
  /** Asks every worker of the broker which of these it holds. */
  ask(ids: ReadonlySet<string>): Promise<Census>;
  /** Hears which workers say that they leave, until taken back: they finish what they run, and answer nothing. */
  hearLeaving(listener: LeavingListener): () => void;
  publish(entries: readonly OutboxEntry[]): Promise<void>;
}

export interface RunPorts {
  readonly store: RunStore;
  readonly results: ResultStore;
  readonly broker: Whereabouts;
  readonly clock: Clock;
  readonly log: RunLog;
  /** Unique per publication. */
  readonly newTag: () => string;
  /** Places for running tasks at live workers of a queue, by its name on the wire; undefined while none is known. */
  readonly slotsOf: (queue: string) => number | undefined;
  readonly payloadLimits: PayloadLimits;
  /** Between two looks at what no hint told. Default 5,000; for stores that lose nothing, longer will do. */
  readonly sweepEveryMs?: number;
  /** Results that were heard and not decided on, together, about. Default `limits.seenBytes`. */
  readonly seenBytes?: number;
  /** Still the leader, as far as is known: whether to take a shard again that another one took. */
  readonly isLeading: () => boolean;
}
