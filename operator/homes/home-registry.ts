import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Log } from '#core/base/log.ts';
import type { PayloadLimits } from '#core/base/payload-limits.ts';
import type { Timers } from '#core/base/timers.ts';
import type { RedisAddress } from '#core/resources/redis-address.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { hearFarewells } from '#io/brokers/redis/redis-farewells.ts';
import { processTimers } from '#io/process-timers.ts';
import { systemClock } from '#io/system-clock.ts';
import { openRedis } from '#io/redis/open-redis.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { RedisRunStore } from '#io/runs/redis/redis-run-store.ts';
import type { ConnectionRef, OpenConnection } from '../connections/connection-state.ts';
import type { DepthReading } from '../depths/depth-reading.ts';
import type { RememberedRun } from '../runs/recovery.ts';
import { RunEngine } from '../runs/run-engine.ts';
import type { RunLog, Whereabouts } from '../runs/run-ports.ts';

/** After an engine that could not be opened, the next is tried when it is asked for this much later. */
const openAgainMs = 1_000;

/** An engine that is open, or the reason why it is not yet. */
export type Home = { readonly engine: RunEngine } | { readonly waiting: string };

export interface HomeRegistryOptions {
  readonly log: Log;
  readonly isLeading: () => boolean;
  /** Places for running tasks at live workers of a queue; undefined while none is known. */
  readonly slotsOf: (connection: OpenConnection, queue: string) => number | undefined;
  readonly payloadLimits: PayloadLimits;
  /** What drives the runs of a connection. Default: an engine on its Redis. */
  readonly engineOn?: (connection: OpenConnection, slotsOf: (queue: string) => number | undefined) => RunEngine;
  /** Default: those of the process. */
  readonly timers?: Timers;
}

type OpenListener = (connection: OpenConnection, engine: RunEngine) => void;

/** One engine for each open connection. A connection that was opened anew gets a new engine, and its runs begin again. */
export class HomeRegistry {
  readonly #options: HomeRegistryOptions;
  readonly #homes = new Map<OpenConnection, { readonly engine: RunEngine; isOpen: boolean }>();
  readonly #listeners = new Set<OpenListener>();
  /** What engines that are closed knew of their runs, by UID: a server that comes back may have lost data of them. */
  readonly #remembered = new Map<string, RememberedRun>();

  constructor(options: HomeRegistryOptions) {
    this.#options = options;
  }

  /** The engine of a connection; the first call begins to open it. */
  get(connection: OpenConnection): Home {
    const home = this.#homes.get(connection) ?? this.#open(connection);
    return home.isOpen ? { engine: home.engine } : { waiting: 'the runs of the connection are being taken over' };
  }

  /** Closes the engines of connections that are open no more. Runs elsewhere may have waited for one that is open now. */
  keepOnly(connections: readonly OpenConnection[]): void {
    for (const [connection, { engine }] of this.#homes) {
      if (connections.includes(connection)) continue;
      for (const [uid, run] of engine.close()) this.#remembered.set(uid, run);
      this.#homes.delete(connection);
    }
    this.reroute();
  }

  /** What an engine knew of a run that it did not drive to its end. */
  rememberedRun(uid: string): RememberedRun | undefined {
    return this.#remembered.get(uid);
  }

  /** The run goes on, or nobody will ask for it again. */
  forgetRun(uid: string): void {
    this.#remembered.delete(uid);
  }

  /** Runs that wait for a queue look again. */
  reroute(): void {
    for (const { engine } of this.#homes.values()) engine.reroute();
  }

  engines(): readonly RunEngine[] {
    return [...this.#homes.values()].map(({ engine }) => engine);
  }

  /** What the engine of a connection keeps back, by queue; undefined while it has not taken over all its runs. */
  held(ref: ConnectionRef): ReadonlyMap<string, number> | undefined {
    const home = this.#homeOf(ref);
    return home?.isOpen === true ? home.engine.held() : undefined;
  }

  /**
   * What was read of a connection's queues. Where the ledger tells of runs that nobody has asked for, because their
   * Workflows are gone, say, they are taken over all the same: who held messages back must tell what became of them.
   */
  see(connection: OpenConnection, { waiting, held }: Pick<DepthReading, 'waiting' | 'held'>): void {
    const home = this.#homes.get(connection);
    if (home?.isOpen === true) home.engine.seeWaiting(waiting);
    if (home === undefined && [...held.values()].some((count) => count > 0)) this.#open(connection);
  }

  /** Told when an engine opened: the runs of its connection may begin. */
  onOpen(listener: OpenListener): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.keepOnly([]);
    this.#remembered.clear();
  }

  #homeOf({ namespace, name }: ConnectionRef): { readonly engine: RunEngine; readonly isOpen: boolean } | undefined {
    for (const [{ ref }, home] of this.#homes) if (ref.namespace === namespace && ref.name === name) return home;
    return undefined;
  }

  #open(connection: OpenConnection): { readonly engine: RunEngine; isOpen: boolean } {
    const { engineOn, slotsOf, timers = processTimers } = this.#options;
    const engine =
      engineOn?.(connection, (queue) => slotsOf(connection, queue)) ?? engineOnRedis(connection, this.#options);
    const home = { engine, isOpen: false };
    this.#homes.set(connection, home);
    engine.open().then(
      () => {
        home.isOpen = true;
        if (this.#homes.get(connection) !== home) return;
        for (const listener of this.#listeners) listener(connection, engine);
      },
      (error: unknown) => {
        this.#options.log.warn({ ...connection.ref, err: error }, 'the runs of a connection could not be taken over');
        engine.close();
        timers.after(openAgainMs, () => this.#homes.delete(connection));
      },
    );
    return home;
  }
}

function engineOnRedis(connection: OpenConnection, options: HomeRegistryOptions): RunEngine {
  const { log, isLeading, slotsOf, payloadLimits } = options;
  const { results, settings } = connection;
  const openSubscriber = () => subscriberOf(connection, settings.operatorResults);
  return new RunEngine({
    store: new RedisRunStore({ client: results, prefix: settings.resultKeyPrefix }),
    results: new RedisResultStore({ client: results, openSubscriber, prefix: settings.resultKeyPrefix }),
    broker: whereaboutsOf(connection, log),
    clock: systemClock,
    log: logOf(connection, log),
    newTag: randomUUID,
    isLeading,
    slotsOf: (queue) => slotsOf(connection, queue),
    payloadLimits,
  });
}

/** Whatever is told of the runs of a connection names it. */
function logOf({ ref }: OpenConnection, log: Log): RunLog {
  return {
    info: (fields, message) => log.info({ ...ref, ...fields }, message),
    warn: (fields, message) => log.warn({ ...ref, ...fields }, message),
  };
}

function whereaboutsOf(connection: OpenConnection, log: Log): Whereabouts {
  const { settings, ref } = connection;
  const { keyPrefix: prefix, operatorBroker } = settings;
  const broker = new RedisBroker({ client: connection.broker, prefix });
  return {
    present: (queue, ids) => broker.find(queue, ids),
    withdraw: (queue, ids) => broker.withdraw(queue, ids),
    revoke: (ids) => broker.revoke(ids),
    ask: (ids) => broker.ask(ids),
    hearLeaving: (listener) => {
      const openSubscriber = () => subscriberOf(connection, operatorBroker);
      const refused = (message: string): void => log.warn({ ...ref }, message);
      return hearFarewells({ openSubscriber, db: operatorBroker.db, prefix, ...listener, refused });
    },
    publish: (entries) => broker.push(entries),
  };
}

function subscriberOf({ settings, ref }: OpenConnection, address: RedisAddress): Redis {
  return openRedis({ address, ca: settings.ca, name: `arpeggio-hears-${ref.namespace}-${ref.name}` });
}
