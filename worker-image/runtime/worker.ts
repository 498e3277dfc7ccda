import type { Delivery } from '#io/brokers/broker.ts';
import { obeyControl, type ControlledWorker } from './control.ts';
import { Delayed, delayedBounds } from './delayed.ts';
import { handBack } from './hand-back.ts';
import { InHand } from './in-hand.ts';
import { receive, type Received } from './receive.ts';
import { Revocations } from './revocations.ts';
import { TaskRuns } from './task-runs.ts';
import { pause } from './worker-clock.ts';
import type { WorkerPorts, WorkerSettings } from './worker-ports.ts';

/** Between attempts while the broker is away. */
const CLAIM_AGAIN_MS = 500;
/** Messages in one claim. */
const MOST_A_CLAIM = 500;
/** Between large claims that brought only messages for which it is too early and no room. */
const TOO_EARLY_MS = 250;

/** Takes messages as slots are free, runs their tasks, and leaves behind what Celery's worker would. */
export class TaskWorker implements ControlledWorker {
  readonly settings: WorkerSettings;
  readonly startedMs: number;
  readonly #ports: WorkerPorts;
  readonly runs: TaskRuns;
  readonly delayed: Delayed;
  readonly #inHand: InHand;
  readonly #revocations = new Revocations();
  readonly #stop = new AbortController();
  /** Messages to claim whatever is free: where what waits is too early, what is not is looked for further back. */
  #reach = 1;
  #slotFree: (() => void) | undefined;
  #loop: Promise<void> | undefined;

  constructor(ports: WorkerPorts, settings: WorkerSettings) {
    this.#ports = ports;
    this.settings = settings;
    this.startedMs = ports.nowMs();
    this.runs = new TaskRuns(ports, settings);
    this.delayed = new Delayed(settings.delayed ?? delayedBounds, ports);
    this.#inHand = new InHand({ ports, settings, runs: this.runs, onRelease: () => this.#slotFree?.() });
  }

  get busy(): number {
    return this.#inHand.busy;
  }

  get taskNames(): readonly string[] {
    return [...this.#ports.tasks.keys()];
  }

  get revoked(): readonly string[] {
    return this.#revocations.ids(this.#ports.nowMs());
  }

  start(): void {
    if (this.#loop !== undefined) return;
    this.#loop = this.#listenAndConsume();
  }

  /** The broker says that these are no longer this worker's: whoever has them now runs them. */
  lose(tags: readonly string[]): void {
    const lost = new Set(tags.filter((tag) => !this.runs.lose(tag)));
    const gone = this.delayed.release(({ delivery }) => lost.has(delivery.tag));
    this.#ports.lease.released([...tags, ...gone.map(({ tag }) => tag)]);
  }

  /** These shall not run; those that do are ended when `terminate` is set. Returns the ids of those. */
  revoke(ids: readonly string[], { terminate }: { readonly terminate: boolean }): readonly string[] {
    this.#revocations.add(ids, this.#ports.nowMs());
    const all = new Set(ids);
    for (const delivery of this.delayed.release(({ id }) => all.has(id))) this.#begin(delivery);
    return terminate ? this.runs.terminate(all) : [];
  }

  /**
   * Takes nothing more, hands back what has not begun, and resolves when everything that runs has ended or the time is
   * over: then what still runs is handed back, too, counted as delivered. True when nothing had to be cut off.
   */
  async drain(graceMs: number): Promise<boolean> {
    this.#stop.abort();
    this.#slotFree?.();
    await this.#loop;
    await handBack(this.delayed.release(), this.#ports);
    const isClean = await this.#inHand.empty(graceMs);
    if (!isClean) {
      const ids = this.runs.running.map(({ message }) => message.id);
      this.#ports.log.warn({ taskIds: ids }, 'the time to drain is over; what still runs goes back to its queue');
    }
    return isClean;
  }

  /** What revokes a task is said once: whoever takes tasks before it listens does not hear of theirs. */
  async #listenAndConsume(): Promise<void> {
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    await Promise.race([obeyControl(this, this.#ports), stopped]);
    await this.#consume();
  }

  async #consume(): Promise<void> {
    const { log } = this.#ports;
    while (!this.#stop.signal.aborted) {
      const free = this.settings.concurrency - this.busy;
      try {
        if (free > 0) await this.#claim(free);
        else await this.#untilSlotFree();
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'could not take messages; trying again');
        await pause(this.#ports, CLAIM_AGAIN_MS);
      }
    }
  }

  async #claim(free: number): Promise<void> {
    const { consumer } = this.#ports;
    const deliveries = await consumer.claim(Math.min(Math.max(free, this.#reach), MOST_A_CLAIM));
    if (deliveries.length === 0) return consumer.awaitWork(this.#stop.signal);
    const hasUse = await this.#take(deliveries);
    if (!hasUse && this.#reach >= MOST_A_CLAIM) await pause(this.#ports, TOO_EARLY_MS);
  }

  /** False when there was neither work nor room in any of them. */
  async #take(deliveries: readonly Delivery[]): Promise<boolean> {
    this.#ports.lease.took(deliveries.map(({ tag }) => tag));
    const surplus: Delivery[] = [];
    let hasUse = false;
    for (const delivery of deliveries) {
      const received = this.#receive(delivery);
      if (received.todo === 'Wait') {
        hasUse = this.#wait(delivery, received) || hasUse;
        continue;
      }
      hasUse = true;
      if (this.busy < this.settings.concurrency) this.#inHand.handle(delivery, received);
      else surplus.push(delivery);
    }
    if (!hasUse) this.#reach = Math.min(this.#reach * 4, MOST_A_CLAIM);
    else if (surplus.length > 0) this.#reach = 1;
    await handBack(surplus, this.#ports);
    return hasUse;
  }

  #begin(delivery: Delivery): void {
    const received = this.#receive(delivery);
    if (received.todo === 'Wait') this.#wait(delivery, received);
    else this.#inHand.handle(delivery, received);
  }

  #receive(delivery: Delivery): Received {
    const nowMs = this.#ports.nowMs();
    const isRevoked = (id: string): boolean => this.#revocations.has(id, nowMs);
    return receive(delivery, { tasks: this.#ports.tasks, isRevoked, nowMs });
  }

  /** Holds it until it is due. What there is no room for goes to the back of its queue. True when this one has room. */
  #wait(delivery: Delivery, { message, delayMs }: Received & { todo: 'Wait' }): boolean {
    const due = { id: message.id, delivery, dueMs: this.#ports.nowMs() + delayMs };
    const sentAway = this.delayed.hold(due, (again) => this.#begin(again));
    for (const each of sentAway) this.#inHand.sendBack(each);
    return !sentAway.includes(delivery);
  }

  #untilSlotFree(): Promise<void> {
    return new Promise((resolve) => {
      this.#slotFree = resolve;
    });
  }
}
