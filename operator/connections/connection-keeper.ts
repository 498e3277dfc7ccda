import { backoffMs } from '#core/base/backoff.ts';
import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import type { KubeClient } from '#io/kube/client.ts';
import { processTimers, rest } from '#io/process-timers.ts';
import type { ConnectionFailure, ConnectionRef, ConnectionState, OpenConnection } from './connection-state.ts';
import { type MaySharePredicate, openConnection } from './open-connection.ts';
import { readConnectionSecret } from './secret-reader.ts';

export interface KeeperOptions {
  readonly client: KubeClient;
  readonly allowedHosts: readonly string[];
  readonly mayShare: MaySharePredicate;
  readonly log: Log;
  /** How a connection is opened. Default: to the Redis that its Secret names. */
  readonly open?: typeof openConnection;
  /** Default: those of the process. */
  readonly timers?: Timers;
}

const backoff = { baseMs: 500, capMs: 8_000 };
/** How often the Secret of a working connection is read again, and its servers asked whether they live. */
const checkEveryMs = 5_000;

/**
 * Keeps one connection open: opens it, notices when it breaks or its Secret changes, and opens it again, without end.
 * A repaired Secret or server is noticed within seconds.
 */
export class ConnectionKeeper {
  readonly ref: ConnectionRef;
  readonly #options: KeeperOptions;
  readonly #timers: Timers;
  readonly #onChange: () => void;
  readonly #stopped = new AbortController();
  #state: ConnectionState = { state: 'Opening' };
  #failures = 0;

  constructor(ref: ConnectionRef, options: KeeperOptions, onChange: () => void) {
    this.ref = ref;
    this.#options = options;
    this.#timers = options.timers ?? processTimers;
    this.#onChange = onChange;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Runs until `close`. */
  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#openAndHold();
      } catch (error) {
        this.#failures += 1;
        this.#options.log.warn({ ...this.ref, err: error }, 'a connection could not be looked after; trying again');
      }
      if (this.#failures > 0) await this.#hasRested(backoffMs(backoff, this.#failures, this.#timers.chance()), signal);
    }
  }

  close(): void {
    this.#stopped.abort();
    if (this.#state.state === 'Ready') disconnect(this.#state.connection);
    this.#state = { state: 'Opening' };
  }

  /** Ends when the connection is to be opened anew, or could not be opened. */
  async #openAndHold(): Promise<void> {
    const { client, allowedHosts, mayShare, open = openConnection } = this.#options;
    const read = await readConnectionSecret(client, this.ref, allowedHosts);
    if (!read.ok) {
      this.#fail(read.error);
      return;
    }
    const opened = await open(this.ref, read.value, mayShare);
    if (!opened.ok) {
      this.#fail(opened.error);
      return;
    }
    this.#enter({ state: 'Ready', connection: opened.value });
    const openedAtMs = this.#timers.nowMs();
    await this.#hold(opened.value);
    disconnect(opened.value);
    // One that breaks again and again must not be opened in a busy loop.
    this.#failures = this.#timers.nowMs() - openedAtMs < checkEveryMs ? this.#failures + 1 : 0;
    this.#enter({ state: 'Opening' });
  }

  /** Resolves when the connection broke or its Secret changed. */
  async #hold(connection: OpenConnection): Promise<void> {
    const broken = new AbortController();
    const onBreak = (): void => broken.abort();
    for (const redis of [connection.broker, connection.results]) {
      redis.once('close', onBreak);
      if (redis.status !== 'ready') onBreak();
    }
    const ends = AbortSignal.any([broken.signal, this.#stopped.signal]);
    while (await this.#hasRested(checkEveryMs * (0.8 + this.#timers.chance() * 0.4), ends)) {
      if (!(await this.#isStillGood(connection))) return;
    }
  }

  async #isStillGood(connection: OpenConnection): Promise<boolean> {
    const { client, allowedHosts, log } = this.#options;
    try {
      await Promise.all([connection.broker.ping(), connection.results.ping()]);
    } catch {
      return false;
    }
    try {
      const read = await readConnectionSecret(client, this.ref, allowedHosts);
      return read.ok && read.value.version === connection.version;
    } catch (error) {
      // An API server that is away is no reason to give up a connection that works.
      log.debug({ ...this.ref, err: error }, 'a connection Secret could not be read again');
      return true;
    }
  }

  #fail(failure: ConnectionFailure): void {
    this.#failures += 1;
    this.#enter({ state: 'Failed', failure });
  }

  #enter(next: ConnectionState): void {
    if (this.#stopped.signal.aborted) return;
    const isNews = next.state !== this.#state.state || !isSameFailure(next, this.#state);
    this.#state = next;
    if (!isNews) return;
    const reason = next.state === 'Failed' ? { reason: next.failure.reason } : {};
    this.#options.log.info({ ...this.ref, ...reason }, `connection ${next.state}`);
    this.#onChange();
  }

  /** Waits; false when the signal aborted meanwhile. */
  #hasRested(ms: number, signal: AbortSignal): Promise<boolean> {
    return rest(this.#timers, ms, signal).then(
      () => true,
      () => false,
    );
  }
}

function isSameFailure(one: ConnectionState, other: ConnectionState): boolean {
  if (one.state !== 'Failed' || other.state !== 'Failed') return one.state === other.state;
  return one.failure.reason === other.failure.reason && one.failure.message === other.failure.message;
}

function disconnect({ broker, results }: OpenConnection): void {
  broker.disconnect();
  results.disconnect();
}
