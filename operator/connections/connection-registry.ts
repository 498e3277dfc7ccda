import type { Timers } from '#core/base/timers.ts';
import { processTimers } from '#io/process-timers.ts';
import { ConnectionKeeper, type KeeperOptions } from './connection-keeper.ts';
import { connectionKeyOf, type ConnectionRef, type ConnectionState, type OpenConnection } from './connection-state.ts';

/** A connection that nobody has asked for in this time, and that no TaskQueue names, is closed. */
const idleMs = 10 * 60_000;
const sweepEveryMs = 60_000;

interface Entry {
  readonly keeper: ConnectionKeeper;
  askedAtMs: number;
}

/** Every connection in use: one pair of clients for each Secret, opened when first asked for. */
export class ConnectionRegistry {
  readonly #options: KeeperOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(ref: ConnectionRef) => void>();
  readonly #isNeeded: (ref: ConnectionRef) => boolean;
  readonly #timers: Timers;
  #stopSweeping: () => void = () => undefined;
  #isClosed = false;

  /** `isNeeded` tells whether some object still names the connection. */
  constructor(options: KeeperOptions, isNeeded: (ref: ConnectionRef) => boolean) {
    this.#options = options;
    this.#isNeeded = isNeeded;
    this.#timers = options.timers ?? processTimers;
    this.#sweepLater();
  }

  /** How the connection stands now. The first call begins to open it; listeners hear of every later change. */
  get(ref: ConnectionRef): ConnectionState {
    if (this.#isClosed) return { state: 'Opening' };
    const entry = this.#entries.get(connectionKeyOf(ref)) ?? this.#open(ref);
    entry.askedAtMs = this.#timers.nowMs();
    return entry.keeper.state;
  }

  /** Every connection that works now. */
  listReady(): OpenConnection[] {
    return [...this.#entries.values()].flatMap(({ keeper }) =>
      keeper.state.state === 'Ready' ? [keeper.state.connection] : [],
    );
  }

  /** Calls back whenever a connection's state changes. Returns how to stop that. */
  subscribe(listener: (ref: ConnectionRef) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Closes every connection. */
  close(): void {
    this.#isClosed = true;
    this.#stopSweeping();
    for (const { keeper } of this.#entries.values()) keeper.close();
    this.#entries.clear();
  }

  #open({ namespace, name }: ConnectionRef): Entry {
    const ref = { namespace, name };
    const keeper = new ConnectionKeeper(ref, this.#options, () => {
      for (const listener of this.#listeners) listener(ref);
    });
    const entry = { keeper, askedAtMs: this.#timers.nowMs() };
    this.#entries.set(connectionKeyOf(ref), entry);
    void keeper.run();
    return entry;
  }

  #sweepLater(): void {
    this.#stopSweeping = this.#timers.after(sweepEveryMs, () => {
      this.#sweep();
      this.#sweepLater();
    });
  }

  #sweep(): void {
    for (const [key, { keeper, askedAtMs }] of this.#entries) {
      if (this.#timers.nowMs() - askedAtMs < idleMs || this.#isNeeded(keeper.ref)) continue;
      keeper.close();
      this.#entries.delete(key);
    }
  }
}
