import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import { settle } from '#core/execution/settle.ts';
import type { SettleContext } from '#core/execution/settle-context.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import type { CallSupport } from './call-runner.ts';
import { bury } from './bury.ts';
import { carry } from './carry.ts';
import { Delayed } from './delayed.ts';
import { perform } from './perform.ts';
import { receive, type Received } from './receive.ts';
import { callOf, Running } from './running.ts';
import { Settler } from './settler.ts';
import type { WorkerPorts, WorkerSettings } from './worker-ports.ts';

/** Between attempts while the broker is away. */
const CLAIM_AGAIN_MS = 500;
/** Messages in one claim. */
const MOST_A_CLAIM = 500;

/** Takes messages as slots are free, runs their tasks, and leaves behind what Celery's worker would. */
export class TaskWorker {
  readonly #ports: WorkerPorts;
  readonly #settings: WorkerSettings;
  readonly #settler: Settler;
  readonly #context: Omit<SettleContext, 'nowMs'>;
  readonly #running = new Map<string, Running>();
  readonly #delayed = new Delayed();
  readonly #stop = new AbortController();
  /** Taken and not yet let go, in a slot or about to be. */
  #busy = 0;
  /** Tags of running tasks whose message is in other hands: a success is still stored, nothing else is. */
  readonly #lost = new Set<string>();
  /** The time to drain is over: whatever ends now ends by our hand, and is no outcome. */
  #isCut = false;
  #slotFree: (() => void) | undefined;
  #idle: (() => void) | undefined;
  #loop: Promise<void> | undefined;

  constructor(ports: WorkerPorts, settings: WorkerSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#settler = new Settler(ports.consumer, ports.log);
    const arityOf = (task: string): number | undefined => ports.tasks.get(task)?.arity;
    this.#context = { newId: ports.newId, arityOf, origin: settings.hostname };
  }

  get busy(): number {
    return this.#busy;
  }

  start(): void {
    this.#loop ??= this.#consume();
  }

  /** The broker says that these are no longer this worker's: whoever has them now runs them. */
  lose(tags: readonly string[]): void {
    for (const tag of tags) {
      if (!this.#running.has(tag)) continue;
      this.#lost.add(tag);
      this.#running.get(tag)?.stop('MessageLost');
    }
    const gone = this.#delayed.release(new Set(tags));
    this.#ports.lease.released([...tags, ...gone.map(({ tag }) => tag)]);
  }

  /**
   * Takes nothing more, hands back what has not begun, and resolves when everything that runs has ended or the time is
   * over: then what still runs is handed back, too, counted as delivered. True when nothing had to be cut off.
   */
  async drain(graceMs: number): Promise<boolean> {
    this.#stop.abort();
    this.#slotFree?.();
    await this.#loop;
    await this.#giveBack(this.#delayed.release());
    const { promise: idle, resolve } = Promise.withResolvers<boolean>();
    this.#idle = () => resolve(true);
    if (this.#busy === 0) resolve(true);
    const timer = setTimeout(() => resolve(false), graceMs);
    const isClean = await idle;
    clearTimeout(timer);
    if (!isClean) {
      this.#isCut = true;
      const ids = [...this.#running.values()].map(({ message }) => message.id);
      this.#ports.log.warn({ taskIds: ids }, 'the time to drain is over; what still runs goes back to its queue');
    }
    return isClean;
  }

  async #consume(): Promise<void> {
    const { consumer, log } = this.#ports;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const free = this.#settings.concurrency - this.#busy;
      if (free <= 0) {
        await this.#untilSlotFree();
        continue;
      }
      try {
        const deliveries = await consumer.claim(Math.min(free, MOST_A_CLAIM));
        if (deliveries.length === 0) await consumer.awaitWork(signal);
        else this.#take(deliveries);
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'could not take messages; trying again');
        await new Promise((resolve) => setTimeout(resolve, CLAIM_AGAIN_MS));
      }
    }
  }

  #take(deliveries: readonly Delivery[]): void {
    this.#ports.lease.took(deliveries.map(({ tag }) => tag));
    for (const delivery of deliveries) this.#begin(delivery);
  }

  #begin(delivery: Delivery): void {
    const received = receive(delivery.text, this.#ports.tasks, this.#ports.nowMs());
    if (received.todo === 'Wait') {
      this.#delayed.hold(delivery, received.delayMs, (due) => this.#begin(due));
      return;
    }
    this.#busy += 1;
    void this.#handle(delivery, received)
      .catch((error: unknown) => {
        this.#ports.log.error({ err: error, tag: delivery.tag }, 'a message could not be handled');
      })
      .finally(() => this.#release(delivery));
  }

  #release({ tag }: Delivery): void {
    this.#busy -= 1;
    this.#lost.delete(tag);
    this.#ports.lease.released([tag]);
    this.#slotFree?.();
    if (this.#busy === 0) this.#idle?.();
  }

  async #handle(delivery: Delivery, received: Exclude<Received, { todo: 'Wait' }>): Promise<void> {
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
            const outcome = await this.#run(delivery, message);
            return this.#isCut ? undefined : outcome;
          },
        });
      case 'Run':
        return this.#end(delivery, received.message, await this.#run(delivery, received.message));
    }
  }

  async #run(delivery: Delivery, message: TaskMessage): Promise<Outcome> {
    const info = this.#ports.tasks.get(message.task);
    const running = new Running(message, this.#ports.nowMs());
    this.#running.set(delivery.tag, running);
    try {
      if (info?.trackStarted ?? this.#settings.trackStarted)
        await this.#storeState(message, 'STARTED', this.#startedMeta());
      running.limit(message.timelimit);
      const runner = info?.inline === true ? this.#ports.inline : this.#ports.threads;
      return running.judge(await runner.run(callOf(message, this.#settings.hostname), this.#supportOf(running)));
    } finally {
      running.end();
      this.#running.delete(delivery.tag);
    }
  }

  async #end(delivery: Delivery, message: TaskMessage, outcome: Outcome): Promise<void> {
    const isLost = this.#lost.delete(delivery.tag);
    if (this.#isCut || (isLost && outcome.kind !== 'Succeeded')) return;
    const context = this.#now();
    const ports = { ...this.#ports, settler: this.#settler };
    await perform(delivery, message, settle(message, outcome, context), { ports, context });
  }

  #supportOf(running: Running): CallSupport {
    const { message } = running;
    const { log } = this.#ports;
    return {
      updateState: async (state, metaText) => {
        if (!running.hasEnded) await this.#storeState(message, state, metaText);
      },
      log: (level, text, fields) => log[level]({ ...fields, task: message.task, taskId: message.id }, text),
      get signal() {
        return running.signal;
      },
      overdue: message.timelimit[0] === null ? undefined : running.overdue,
    };
  }

  async #storeState(message: TaskMessage, status: string, resultText: JsonText): Promise<void> {
    const { id, group: groupId, parentId } = message;
    const text = encodeResultMeta({ id, status, resultText, children: [], dateDone: null, groupId, parentId });
    try {
      await this.#ports.results.store([{ id, text }]);
    } catch (error) {
      this.#ports.log.warn({ taskId: id, error: (error as Error).message }, 'the state of a task could not be stored');
    }
  }

  #startedMeta(): JsonText {
    return stringifyJson({ pid: process.pid, hostname: this.#settings.hostname });
  }

  #now(): SettleContext {
    return { ...this.#context, nowMs: this.#ports.nowMs() };
  }

  async #giveBack(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    try {
      await this.#ports.consumer.handBack(deliveries);
    } catch (error) {
      this.#ports.log.warn(
        { error: (error as Error).message },
        'could not hand messages back; they go back with this worker',
      );
    }
  }

  #untilSlotFree(): Promise<void> {
    return new Promise((resolve) => {
      this.#slotFree = resolve;
    });
  }
}
