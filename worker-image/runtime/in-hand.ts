import type { TaskMessage } from '#core/celery/task-message.ts';
import { markRequeued } from '#core/celery/redelivery.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import { settle } from '#core/execution/settle.ts';
import type { SettleContext } from '#core/execution/settle-context.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import { messagePriority } from '#io/brokers/message-text.ts';
import { bury } from './bury.ts';
import { carry } from './carry.ts';
import { perform } from './perform.ts';
import type { Received } from './receive.ts';
import { Settler } from './settler.ts';
import type { TaskRuns } from './task-runs.ts';
import { tellFailure } from './tell-failure.ts';
import type { WorkerPorts, WorkerSettings } from './worker-ports.ts';

/** What is to be done at once. */
export type Begun = Exclude<Received, { todo: 'Wait' }>;

export interface InHandOptions {
  readonly ports: WorkerPorts;
  readonly settings: WorkerSettings;
  readonly runs: TaskRuns;
  /** Called whenever one was let go. */
  readonly onRelease: () => void;
}

/** Messages that are taken and not yet let go, in a slot or about to be: each is ended and leaves what it leaves. */
export class InHand {
  readonly #options: InHandOptions;
  readonly #settler: Settler;
  readonly #context: Omit<SettleContext, 'nowMs'>;
  #busy = 0;
  /** Whatever ends now ends by our hand, and is no outcome. */
  #isCut = false;
  #idle: (() => void) | undefined;

  constructor(options: InHandOptions) {
    this.#options = options;
    const { ports, settings } = options;
    this.#settler = new Settler(ports);
    const arityOf = (task: string): number | undefined => ports.tasks.get(task)?.arity;
    this.#context = { newId: ports.newId, arityOf, origin: settings.hostname };
  }

  /** How many there are. */
  get busy(): number {
    return this.#busy;
  }

  /** Does what is to be done with it, and lets it go. */
  handle(delivery: Delivery, received: Begun): void {
    this.#hold(delivery, this.#handle(delivery, received));
  }

  /** Puts it at the back of its queue. */
  sendBack(delivery: Delivery): void {
    this.#hold(delivery, this.#toTheBack(delivery, delivery.text));
  }

  #toTheBack({ queue, tag }: Delivery, text: string): Promise<void> {
    const publications = [{ queue, priority: messagePriority(text), text }];
    return this.#settler.settle({ publications, results: [], deadLetters: [], tag });
  }

  /** Resolves when there are none, true, or when the time is over: what still runs then has no outcome any more. */
  async empty(graceMs: number): Promise<boolean> {
    const { promise: idle, resolve } = Promise.withResolvers<boolean>();
    this.#idle = () => resolve(true);
    if (this.#busy === 0) resolve(true);
    const stop = this.#options.ports.after(graceMs, () => resolve(false));
    const isClean = await idle;
    stop();
    this.#isCut = !isClean;
    return isClean;
  }

  #hold(delivery: Delivery, work: Promise<void>): void {
    this.#busy += 1;
    void work
      .catch((error: unknown) => {
        this.#options.ports.log.error({ err: error, tag: delivery.tag }, 'a message could not be handled');
      })
      .finally(() => this.#release(delivery));
  }

  #release({ tag }: Delivery): void {
    const { ports, runs, onRelease } = this.#options;
    this.#busy -= 1;
    runs.takeLost(tag);
    ports.lease.released([tag]);
    onRelease();
    if (this.#busy === 0) this.#idle?.();
  }

  async #handle(delivery: Delivery, received: Begun): Promise<void> {
    const { ports, runs } = this.#options;
    switch (received.todo) {
      case 'Bury': {
        const { code, message } = received.error;
        ports.log.warn({ queue: delivery.queue, code }, `dead letter: ${message}`);
        return this.#settler.settle(bury(delivery, received.error, ports.nowMs()));
      }
      case 'End':
        return this.#end(delivery, received.message, received.outcome);
      case 'Carry':
        return this.#carry(delivery, received.message);
      case 'Run':
        return this.#end(delivery, received.message, await runs.run(delivery, received.message));
    }
  }

  #carry(delivery: Delivery, carrier: TaskMessage): Promise<void> {
    const { ports, runs } = this.#options;
    return carry(delivery, carrier, {
      ports,
      settler: this.#settler,
      context: this.#now(),
      run: async (message) => {
        const outcome = await runs.run(delivery, message, carrier.id);
        return this.#isCut ? undefined : outcome;
      },
    });
  }

  async #end(delivery: Delivery, message: TaskMessage, outcome: Outcome): Promise<void> {
    const isLost = this.#options.runs.takeLost(delivery.tag);
    if (this.#isCut || (isLost && outcome.kind !== 'Succeeded')) return;
    if (this.#options.settings.tellsFailures !== false) tellFailure(this.#options.ports.log, message, outcome);
    if (outcome.kind === 'Requeued') {
      return this.#toTheBack(delivery, markRequeued(delivery.text) ?? delivery.text);
    }
    const context = this.#now();
    const ports = { ...this.#options.ports, settler: this.#settler };
    await perform(delivery, message, settle(message, outcome, context), { ports, context });
  }

  #now(): SettleContext {
    return { ...this.#context, nowMs: this.#options.ports.nowMs() };
  }
}
