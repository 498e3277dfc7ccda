import { connectionKeyOf, type ConnectionRef } from '../connections/connection-state.ts';
import type { DepthPoller } from './depth-poller.ts';
import type { DepthReading } from './depth-reading.ts';

/** Between two tasks of a busy worker that is none of ours, so much may pass unseen. */
const stalledAfterMs = 10_000;

export interface StalledQueue {
  readonly ref: ConnectionRef;
  /** Its name on the wire. */
  readonly queueName: string;
}

/** Messages wait in a queue, and nobody was seen to take one since. */
interface Wait extends StalledQueue {
  readonly sinceMs: number;
  /** Whether they already waited when the queue was read for the first time. */
  readonly isFirst: boolean;
  waiting: number;
  isStalled: boolean;
}

/**
 * Queues in which messages wait and from which nobody has taken any for ten seconds: no worker of ours has one, and there
 * were as many all the time, then perhaps more.
 */
export class StalledQueues {
  readonly #nowMs: () => number;
  readonly #waits = new Map<string, Map<string, Wait>>();
  readonly #listeners = new Set<(queue: StalledQueue) => void>();
  readonly #unsubscribe: () => void;

  /** `nowMs`: milliseconds of any clock that only goes forward. */
  constructor(depths: Pick<DepthPoller, 'subscribe'>, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#unsubscribe = depths.subscribe(({ ref, reading }) => {
      if (reading === undefined) this.#waits.delete(connectionKeyOf(ref));
      else this.#look(ref, reading);
    });
  }

  /** Whether nobody takes what waits in a queue; undefined while it has not been watched for long enough to tell. */
  isStalled({ ref, queueName }: StalledQueue): boolean | undefined {
    const waits = this.#waits.get(connectionKeyOf(ref));
    const wait = waits?.get(queueName);
    if (waits === undefined || (wait?.isFirst === true && !wait.isStalled)) return undefined;
    return wait?.isStalled ?? false;
  }

  /** Those of a namespace. */
  in(namespace: string): readonly StalledQueue[] {
    const stalled: StalledQueue[] = [];
    for (const waits of this.#waits.values()) {
      for (const wait of waits.values()) if (wait.isStalled && wait.ref.namespace === namespace) stalled.push(wait);
    }
    return stalled;
  }

  /** Told when a queue becomes stalled, and when it no longer is. */
  subscribe(listener: (queue: StalledQueue) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unsubscribe();
    this.#waits.clear();
    this.#listeners.clear();
  }

  #look(ref: ConnectionRef, { waiting, taken }: DepthReading): void {
    const key = connectionKeyOf(ref);
    const before = this.#waits.get(key);
    const held = new Set(taken?.flatMap(({ queue, count }) => (count > 0 ? [queue] : [])));
    const waits = new Map<string, Wait>();
    this.#waits.set(key, waits);
    for (const [queueName, count] of waiting) {
      const known = before?.get(queueName);
      const isWaiting = count > 0 && taken !== undefined && !held.has(queueName);
      const goesOn = isWaiting && known !== undefined && doesGoOn(known, count);
      if (isWaiting) waits.set(queueName, goesOn ? known : this.#begun({ ref, queueName }, before === undefined));
      this.#judge(waits.get(queueName), known, count);
    }
  }

  #begun(queue: StalledQueue, isFirst: boolean): Wait {
    return { ...queue, sinceMs: this.#nowMs(), isFirst, waiting: 0, isStalled: false };
  }

  #judge(wait: Wait | undefined, known: Wait | undefined, count: number): void {
    if (known?.isStalled === true && wait !== known) this.#tell(known);
    if (wait === undefined) return;
    wait.waiting = count;
    if (wait.isStalled || this.#nowMs() - wait.sinceMs < stalledAfterMs) return;
    wait.isStalled = true;
    this.#tell(wait);
  }

  #tell(queue: StalledQueue): void {
    for (const listener of this.#listeners) listener(queue);
  }
}

/** While more and more come, nobody can tell whether some are taken as well. */
function doesGoOn({ waiting, isStalled }: Wait, count: number): boolean {
  return waiting === count || (isStalled && waiting < count);
}
