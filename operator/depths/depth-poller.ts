import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import { processTimers, rest } from '#io/process-timers.ts';
import { readBrokerDepths, readHeld } from '#io/redis/read-depths.ts';
import type { ConnectionRegistry } from '../connections/connection-registry.ts';
import { connectionKeyOf, type ConnectionRef, type OpenConnection } from '../connections/connection-state.ts';
import { changedPods, changedQueues, type DepthReading } from './depth-reading.ts';

/** What changed between two readings of a connection. Without `reading` it is not known any more. */
export interface DepthChange {
  readonly ref: ConnectionRef;
  readonly reading?: DepthReading;
  readonly queues: ReadonlySet<string>;
  readonly podUids: ReadonlySet<string>;
}

export interface DepthPollerOptions {
  readonly connections: ConnectionRegistry;
  /** Wire names of the queues of a connection. */
  readonly queuesOf: (ref: ConnectionRef) => readonly string[];
  /**
   * What the engine of a connection keeps back, by queue; undefined while it has not taken over all runs. Then the ledger
   * tells, which every run wrote before its operator went.
   */
  readonly heldOf: (ref: ConnectionRef) => ReadonlyMap<string, number> | undefined;
  /** The pods in which workers of a connection may run. */
  readonly podUidsOf: (ref: ConnectionRef) => readonly string[];
  readonly log: Log;
  /** Default: asks the connection's Redis. */
  readonly read?: DepthReader | undefined;
  /** Default: 250 ms. */
  readonly pollEveryMs?: number | undefined;
  /** Default: those of the process. */
  readonly timers?: Timers | undefined;
}

/** What a reading is to tell of. */
export interface DepthQuestion {
  readonly queues: readonly string[];
  readonly podUids: readonly string[];
  /** What is known to be kept back; undefined: the ledger has to tell. */
  readonly held: ReadonlyMap<string, number> | undefined;
}

/** Reads all of it or rejects: what could not be read is not known. */
export type DepthReader = (connection: OpenConnection, question: DepthQuestion) => Promise<DepthReading>;

/** So soon a burst is seen. One reading costs about 0.3 ms, so that this is next to nothing. */
const usualPollMs = 250;
/** With more connections than this, those on which nothing happens are read less often: every second at the latest. */
const freeConnections = 10;
const idleAfterMs = 5_000;

interface Poll {
  readonly connection: OpenConnection;
  readonly ended: AbortController;
  reading: DepthReading | undefined;
  changedAtMs: number;
}

/** Reads how deep the queues of every working connection are, all queues of one together, and tells what changed. */
export class DepthPoller {
  readonly #options: DepthPollerOptions;
  readonly #polls = new Map<string, Poll>();
  readonly #listeners = new Set<(change: DepthChange) => void>();
  readonly #unsubscribe: () => void;
  readonly #timers: Timers;

  constructor(options: DepthPollerOptions) {
    this.#options = options;
    this.#timers = options.timers ?? processTimers;
    this.#unsubscribe = options.connections.subscribe((ref) => this.#follow(ref));
  }

  /** The latest reading; undefined while the connection does not work. */
  get(ref: ConnectionRef): DepthReading | undefined {
    return this.#polls.get(connectionKeyOf(ref))?.reading;
  }

  subscribe(listener: (change: DepthChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unsubscribe();
    for (const poll of this.#polls.values()) poll.ended.abort();
    this.#polls.clear();
  }

  #follow(ref: ConnectionRef): void {
    const key = connectionKeyOf(ref);
    const state = this.#options.connections.get(ref);
    const known = this.#polls.get(key);
    if (state.state === 'Ready' && known?.connection === state.connection) return;
    if (known !== undefined) this.#end(key, known);
    if (state.state !== 'Ready') return;
    const poll: Poll = {
      connection: state.connection,
      ended: new AbortController(),
      reading: undefined,
      changedAtMs: this.#timers.nowMs(),
    };
    this.#polls.set(key, poll);
    void this.#run(poll);
  }

  #end(key: string, poll: Poll): void {
    poll.ended.abort();
    this.#polls.delete(key);
    const { reading, connection } = poll;
    if (reading === undefined) return;
    const podUids = new Set(reading.leases.map(({ podUid }) => podUid));
    this.#tell({ ref: connection.ref, queues: new Set(reading.waiting.keys()), podUids });
  }

  async #run(poll: Poll): Promise<void> {
    const { signal } = poll.ended;
    while (!signal.aborted) {
      try {
        this.#take(poll, await this.#read(poll.connection));
      } catch (error) {
        // A broken connection is replaced by its keeper; a refusal (memory, rights) may pass.
        this.#options.log.debug({ ...poll.connection.ref, err: error }, 'the depth of queues could not be read');
        this.#lose(poll);
      }
      await this.#rest(poll);
    }
  }

  #read(connection: OpenConnection): Promise<DepthReading> {
    const { queuesOf, podUidsOf, heldOf, read = readFromRedis } = this.#options;
    const { ref } = connection;
    // Asked before the broker: what is published meanwhile counts twice, rather than not at all.
    return read(connection, { queues: queuesOf(ref), podUids: podUidsOf(ref), held: heldOf(ref) });
  }

  #take(poll: Poll, reading: DepthReading): void {
    if (poll.ended.signal.aborted) return;
    const queues = changedQueues(poll.reading, reading);
    const podUids = changedPods(poll.reading, reading);
    poll.reading = reading;
    if (queues.size > 0) poll.changedAtMs = this.#timers.nowMs();
    this.#tell({ ref: poll.connection.ref, reading, queues, podUids });
  }

  #lose(poll: Poll): void {
    const { reading, connection, ended } = poll;
    if (ended.signal.aborted) return;
    poll.reading = undefined;
    if (reading === undefined) return;
    this.#tell({ ref: connection.ref, queues: new Set(reading.waiting.keys()), podUids: new Set() });
  }

  #tell(change: DepthChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  async #rest(poll: Poll): Promise<void> {
    const { pollEveryMs = usualPollMs } = this.#options;
    const isIdle = this.#timers.nowMs() - poll.changedAtMs > idleAfterMs;
    const factor = isIdle ? Math.min(4, Math.max(1, this.#polls.size / freeConnections)) : 1;
    await rest(this.#timers, pollEveryMs * factor, poll.ended.signal).catch(() => undefined);
  }
}

async function readFromRedis(
  { broker, results, settings }: OpenConnection,
  { queues, podUids, held: told }: DepthQuestion,
): Promise<DepthReading> {
  const [depths, held] = await Promise.all([
    readBrokerDepths(broker, settings.keyPrefix, { queues, podUids }),
    told === undefined
      ? readHeld(results, settings.resultKeyPrefix, queues)
      : new Map(queues.map((queue) => [queue, told.get(queue) ?? 0])),
  ]);
  return { ...depths, held };
}
