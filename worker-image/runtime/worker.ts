import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import { settle } from '#core/execution/settle.ts';
import type { SettleContext } from '#core/execution/settle-context.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import { messagePriority } from '#io/brokers/message-text.ts';
import { bury } from './bury.ts';
import { carry } from './carry.ts';
import { obeyControl, type ControlledWorker } from './control.ts';
import { Delayed, delayedBounds } from './delayed.ts';
import { handBack } from './hand-back.ts';
import { perform } from './perform.ts';
import { receive, type Received } from './receive.ts';
import { Revocations } from './revocations.ts';
import { Settler } from './settler.ts';
import { TaskRuns } from './task-runs.ts';
import type { WorkerPorts, WorkerSettings } from './worker-ports.ts';

/** Between attempts while the broker is away. */
const CLAIM_AGAIN_MS = 500;
/** Messages in one claim. */
const MOST_A_CLAIM = 500;
/** Between large claims that brought only messages for which it is too early and no room. */
const TOO_EARLY_MS = 250;

type Begun = Exclude<Received, { todo: 'Wait' }>;

/** Takes messages as slots are free, runs their tasks, and leaves behind what Celery's worker would. */
export class TaskWorker implements ControlledWorker {
  readonly settings: WorkerSettings;
  readonly startedMs: number;
  readonly #ports: WorkerPorts;
  readonly #settler: Settler;
  readonly #context: Omit<SettleContext, 'nowMs'>;
  readonly runs: TaskRuns;
  readonly delayed: Delayed;
  readonly #revocations = new Revocations();
  readonly #stop = new AbortController();
  /** Taken and not yet let go, in a slot or about to be. */
  #busy = 0;
  /** Messages to claim whatever is free: where what waits is too early, what is not is looked for further back. */
  #reach = 1;
  /** The time to drain is over: whatever ends now ends by our hand, and is no outcome. */
  #isCut = false;
  #slotFree: (() => void) | undefined;
  #idle: (() => void) | undefined;
  #loop: Promise<void> | undefined;

  constructor(ports: WorkerPorts, settings: WorkerSettings) {
    this.#ports = ports;
    this.settings = settings;
    this.startedMs = ports.nowMs();
    this.#settler = new Settler(ports.consumer, ports.log);
    this.runs = new TaskRuns(ports, settings);
    this.delayed = new Delayed(settings.delayed ?? delayedBounds, ports);
    const arityOf = (task: string): number | undefined => ports.tasks.get(task)?.arity;
    this.#context = { newId: ports.newId, arityOf, origin: settings.hostname };
  }

  get busy(): number {
    return this.#busy;
  }

  get taskNames(): readonly string[] {
    return [...this.#ports.tasks.keys()];
  }

  get revoked(): readonly string[] {
    return this.#revocations.ids(this.#ports.nowMs());
  }

  start(): void {
    if (this.#loop !== undefined) return;
    void obeyControl(this, this.#ports);
    this.#loop = this.#consume();
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
    const { promise: idle, resolve } = Promise.withResolvers<boolean>();
    this.#idle = () => resolve(true);
    if (this.#busy === 0) resolve(true);
    const timer = setTimeout(() => resolve(false), graceMs);
    const isClean = await idle;
    clearTimeout(timer);
    if (!isClean) {
      this.#isCut = true;
      const ids = this.runs.running.map(({ message }) => message.id);
      this.#ports.log.warn({ taskIds: ids }, 'the time to drain is over; what still runs goes back to its queue');
    }
    return isClean;
  }

  async #consume(): Promise<void> {
    const { consumer, log } = this.#ports;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const free = this.settings.concurrency - this.#busy;
      if (free <= 0) {
        await this.#untilSlotFree();
        continue;
      }
      try {
        const deliveries = await consumer.claim(Math.min(Math.max(free, this.#reach), MOST_A_CLAIM));
        if (deliveries.length === 0) await consumer.awaitWork(signal);
        else if (!(await this.#take(deliveries)) && this.#reach >= MOST_A_CLAIM) await pause(TOO_EARLY_MS);
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'could not take messages; trying again');
        await pause(CLAIM_AGAIN_MS);
      }
    }
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
      if (this.#busy < this.settings.concurrency) this.#handleSoon(delivery, received);
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
    else this.#handleSoon(delivery, received);
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
    for (const each of sentAway) {
      const { queue, text, tag } = each;
      const publications = [{ queue, priority: messagePriority(text), text }];
      this.#inHand(each, this.#settler.settle({ publications, results: [], deadLetters: [], tag }));
    }
    return !sentAway.includes(delivery);
  }

  #handleSoon(delivery: Delivery, received: Begun): void {
    this.#inHand(delivery, this.#handle(delivery, received));
  }

  #inHand(delivery: Delivery, work: Promise<void>): void {
    this.#busy += 1;
    void work
      .catch((error: unknown) => {
        this.#ports.log.error({ err: error, tag: delivery.tag }, 'a message could not be handled');
      })
      .finally(() => this.#release(delivery));
  }

  #release({ tag }: Delivery): void {
    this.#busy -= 1;
    this.runs.takeLost(tag);
    this.#ports.lease.released([tag]);
    this.#slotFree?.();
    if (this.#busy === 0) this.#idle?.();
  }

  async #handle(delivery: Delivery, received: Begun): Promise<void> {
    switch (received.todo) {
      case 'Bury':
        this.#ports.log.warn(
          { queue: delivery.queue, code: received.error.code },
          `dead letter: ${received.error.message}`,
        );
        return this.#settler.settle(bury(delivery, received.error, this.#ports.nowMs()));
      case 'End':
        return this.#end(delivery, received.message, received.outcome);
      case 'Carry':
        return carry(delivery, received.message, {
          ports: this.#ports,
          settler: this.#settler,
          context: this.#now(),
          run: async (message) => {
            const outcome = await this.runs.run(delivery, message, received.message.id);
            return this.#isCut ? undefined : outcome;
          },
        });
      case 'Run':
        return this.#end(delivery, received.message, await this.runs.run(delivery, received.message));
    }
  }

  async #end(delivery: Delivery, message: TaskMessage, outcome: Outcome): Promise<void> {
    const isLost = this.runs.takeLost(delivery.tag);
    if (this.#isCut || (isLost && outcome.kind !== 'Succeeded')) return;
    const context = this.#now();
    const ports = { ...this.#ports, settler: this.#settler };
    await perform(delivery, message, settle(message, outcome, context), { ports, context });
  }

  #now(): SettleContext {
    return { ...this.#context, nowMs: this.#ports.nowMs() };
  }

  #untilSlotFree(): Promise<void> {
    return new Promise((resolve) => {
      this.#slotFree = resolve;
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
