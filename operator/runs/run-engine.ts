import type { Plan } from '#core/canvas/plan.ts';
import type { Hearing } from '#io/results/result-store.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { deliver } from './deliver.ts';
import { foundRun } from './found-run.ts';
import { HomeClock } from './home-clock.ts';
import { InboxRoom } from './inbox-room.ts';
import { LiveRun } from './live-run.ts';
import { doubtLost } from './lost-runs.ts';
import { outstandingOf } from './outstanding.ts';
import { mendedRun } from './mended-run.ts';
import { NotBegun } from './not-begun.ts';
import type { RememberedRun, ShownRun } from './recovery.ts';
import type { Router } from './route.ts';
import { RunDriver } from './run-driver.ts';
import type { RunPorts } from './run-ports.ts';
import type { RunSettings } from './run-settings.ts';
import { Shards, shardCount } from './shards.ts';
import { stoppedBecause } from './stopped-because.ts';
import { Sweep } from './sweep.ts';
import { Window } from './window.ts';
import { stopAll, stopStored } from './withdraw.ts';

const usualSweepMs = 5_000;
/** Runs are taken over many at once; so long are they gathered. */
const takeOverMs = 100;

/** A run as its controller orders it. */
export interface RunOrder {
  readonly uid: string;
  readonly plan: Plan;
  /** Of the frozen spec. */
  readonly digest: string;
  readonly router: Router;
  readonly settings: RunSettings;
  /** The run has begun before, as its Workflow's status says: it is found or mended, never made anew. */
  readonly shown?: ShownRun | undefined;
  /** What an earlier engine knew of it. */
  readonly remembered?: RememberedRun | undefined;
  /** Messages of a further round wait until `RunDriver.release` names it. Default false. */
  readonly notesRounds?: boolean;
  /** Told when there may be something new to show. */
  readonly onChange: () => void;
}

/**
 * Drives all runs of one home. Whatever is heard is a hint: a sweep every five seconds finds what was missed, and the
 * deciding script lets nothing happen twice.
 */
export class RunEngine {
  readonly #ports: RunPorts;
  readonly #shards: Shards;
  readonly #byRun48 = new Map<string, RunDriver>();
  readonly #byUid = new Map<string, RunDriver>();
  readonly #sweep: Sweep;
  readonly #home: HomeClock;
  readonly #window: Window;
  readonly #room: InboxRoom;
  /** Runs that were here before this engine, and that it has not begun. */
  #untaken: Set<string> | undefined;
  #hearing: Hearing | undefined;
  #stopSweeping: () => void = () => undefined;
  #swept: () => void = () => undefined;
  #stopWatching: () => void = () => undefined;
  #isClosed = false;
  #isSweepAsked = false;

  constructor(ports: RunPorts) {
    this.#ports = ports;
    this.#room = new InboxRoom(ports.seenBytes);
    this.#shards = new Shards(ports.store);
    this.#home = new HomeClock(ports.store, ports.clock);
    this.#window = new Window({
      clock: ports.clock,
      slotsOf: ports.slotsOf,
      onRoom: (uids) => {
        for (const uid of uids) this.#byUid.get(uid)?.schedule();
      },
    });
    const heard = (id: string, text: string): void => this.#deliver(id, text);
    this.#sweep = new Sweep(ports, { drivers: () => this.#byRun48.values(), heard, room: this.#room });
  }

  /** Takes all shards from whoever had them and begins to listen. Throws `RunStoreUnavailable`. */
  async open(): Promise<void> {
    await this.#shards.takeAll();
    await this.#home.measure();
    this.#untaken = new Set((await this.registered()).map(({ uid }) => uid));
    if (this.#isClosed) return;
    this.#hearing = this.#ports.results.hear({
      heard: (id, text) => this.#hear(id, text),
      missed: () => void this.#sweep.run({ everything: true }),
    });
    this.#stopWatching = this.#ports.store.watchServer(() => void this.#sweepOnce({ everything: true }));
    this.#sweepLater();
  }

  /** Stops at once; what is under way in the store ends by itself. Answers what was known of its runs, by UID. */
  close(): ReadonlyMap<string, RememberedRun> {
    const known = [...this.#byUid].filter(([, { stopped, isConcluded }]) => stopped === undefined && !isConcluded);
    const remembered = new Map(known.map(([uid, { run }]) => [uid, { key: run.key, stored: run.remembered }]));
    this.#isClosed = true;
    this.#hearing?.close();
    this.#sweep.close();
    this.#stopSweeping();
    this.#stopWatching();
    this.#window.close();
    for (const driver of this.#byRun48.values()) driver.stop({ reason: 'Deleted', message: 'the operator stops' });
    this.#byRun48.clear();
    this.#byUid.clear();
    return remembered;
  }

  /**
   * Creates the run in its home, finds it there, or mends it where its Redis lost data of it; undefined when too little is
   * known for that. Publishes nothing until `release`. Throws `RunStoreUnavailable`, and `NotBegun` where another operator
   * leads or the engine was closed meanwhile.
   */
  async begin(order: RunOrder): Promise<RunDriver | undefined> {
    const known = this.#byUid.get(order.uid);
    if (known !== undefined) return known;
    const mustExist = order.shown !== undefined || order.remembered !== undefined;
    const parts = { ...this.#ports, shards: this.#shards, home: this.#home };
    const found = await foundRun({ uid: order.uid, digest: order.digest, mustExist }, parts);
    const begun = await mendedRun(order, found, parts);
    if (begun === undefined) return undefined;
    const { run: key, stored, isNew, losses } = begun;
    if (this.#isClosed) throw new NotBegun(`Workflow ${order.uid}: its connection was closed while the run began`);
    if (!isNew) this.#sweepSoon();
    const { plan, router, settings, onChange, notesRounds } = order;
    const ports = { ...this.#ports, home: this.#home, window: this.#window, room: this.#room };
    const run = new LiveRun({ key, plan, router: this.#sweep.listening(router), stored, settings }, ports);
    const stopped = stoppedBecause(stored.head, order);
    const what = { run, shards: this.#shards, ports: this.#ports, onChange, stopped, losses, notesRounds };
    const driver = new RunDriver(what);
    this.#byRun48.set(key.run48, driver);
    this.#byUid.set(order.uid, driver);
    this.#untaken?.delete(order.uid);
    return driver;
  }

  find(uid: string): RunDriver | undefined {
    return this.#byUid.get(uid);
  }

  /** Messages that are due and held back, by queue on the wire; undefined while runs are still to be taken over. */
  held(): ReadonlyMap<string, number> | undefined {
    return this.#untaken === undefined || this.#untaken.size > 0 ? undefined : this.#window.held();
  }

  /** As read from the broker, by queue: messages of anyone that no worker has claimed. */
  seeWaiting(waiting: ReadonlyMap<string, number>): void {
    for (const [queue, count] of waiting) this.#window.read(queue, count);
  }

  /** Every live run looks at its routes again. */
  reroute(): void {
    for (const driver of this.#byRun48.values()) if (driver.run.blocked !== undefined) driver.schedule();
  }

  /** Leaves the registry, unless its broker may yet have messages of it: see `endForgotten`. Throws `RunStoreUnavailable`. */
  async end(driver: RunDriver): Promise<void> {
    if (!driver.run.outbox.isInDoubt) await this.#ports.store.end(driver.run.key);
    this.#forget(driver);
  }

  /**
   * For a run whose Workflow is gone: takes back what waits and asks what runs to stop, as far as the broker answers, then
   * ends it.
   */
  async withdraw(driver: RunDriver): Promise<void> {
    driver.stop({ reason: 'Deleted', message: 'the Workflow was deleted' });
    // A turn that is under way may publish yet.
    await driver.ended();
    await stopAll(outstandingOf(driver), this.#ports);
    await this.end(driver);
  }

  /** Every run that the home's registry knows. Throws `RunStoreUnavailable`. */
  async registered(): Promise<readonly RunKey[]> {
    const shards = Array.from({ length: shardCount }, (_, shard) => this.#ports.store.registered(shard));
    return (await Promise.all(shards)).flat();
  }

  /**
   * For a registered run of which nobody knows any more, not even where its messages are: takes them back from whichever
   * of these queues, by their names on the wire, and ends it: its keys expire after seven days. While its broker does not
   * answer for what its outbox holds, it stays registered, its keys too, for a later call. Throws `RunStoreUnavailable`.
   */
  async endForgotten(key: RunKey, queues: readonly string[]): Promise<void> {
    const stored = await this.#ports.store.read(key);
    const isDone = stored === undefined || (await stopStored(key, stored, queues, this.#ports));
    if (isDone) await this.#ports.store.end(key);
    this.#untaken?.delete(key.uid);
  }

  #deliver(id: string, text: string): void {
    deliver({ id, text }, (run48) => this.#byRun48.get(run48), this.#ports);
  }

  /** A hint: where it finds no room, a sweep finds what it told. */
  #hear(id: string, text: string): void {
    if (this.#room.isFull) this.#sweepSoon();
    else this.#deliver(id, text);
  }

  #forget(driver: RunDriver): void {
    driver.close();
    this.#byRun48.delete(driver.run.key.run48);
    this.#byUid.delete(driver.run.key.uid);
  }

  /** Told after each sweep, about every five seconds. */
  onSwept(listener: () => void): void {
    this.#swept = listener;
  }

  async #sweepOnce({ everything }: { readonly everything: boolean }): Promise<void> {
    try {
      await this.#home.measure();
      await doubtLost([...this.#byRun48.values()], this.#ports.store);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#ports.log.warn({ error: message }, 'could not read the clock and the revisions of the store');
    }
    await this.#sweep.run({ everything });
    for (const driver of this.#byRun48.values()) if (driver.run.view.state.cancelled !== '') driver.schedule();
    if (!this.#isClosed) this.#swept();
  }

  /** Results of runs that were taken over were announced before anyone listened, others were not let in: one sweep for all. */
  #sweepSoon(): void {
    if (this.#isSweepAsked) return;
    this.#isSweepAsked = true;
    this.#ports.clock.after(takeOverMs, () => {
      this.#isSweepAsked = false;
      if (!this.#isClosed) void this.#sweep.run({ everything: true });
    });
  }

  #sweepLater(): void {
    if (this.#isClosed) return;
    const { clock, sweepEveryMs = usualSweepMs } = this.#ports;
    this.#stopSweeping = clock.after(sweepEveryMs, () => {
      void this.#sweepOnce({ everything: false }).finally(() => {
        this.#sweepLater();
      });
    });
  }
}
