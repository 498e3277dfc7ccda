import { prioritySteps, queueKey } from '#core/celery/queue-key.ts';
import type { ResultStore } from '../../results/result-store.ts';
import type { Consumer, ControlAnswer, Delivery, Settlement } from '../broker.ts';
import { tagHead } from '../delivery-tag.ts';
import type { MemoryBroker } from './memory-broker.ts';

export interface MemoryConsumerOptions {
  readonly broker: MemoryBroker;
  readonly results: ResultStore;
  readonly queues: readonly string[];
  readonly podUid: string;
}

/** A worker's side of the broker in memory. */
export class MemoryConsumer implements Consumer {
  readonly incarnation: string;
  readonly #options: MemoryConsumerOptions;
  #claimed = 0;
  #turn = 0;
  #isClosed = false;
  #wake: (() => void) | undefined;
  #disobey: (() => void) | undefined;

  constructor(options: MemoryConsumerOptions) {
    this.#options = options;
    this.incarnation = `${options.podUid}.${options.broker.begin(options.podUid)}`;
  }

  claim(most: number): Promise<readonly Delivery[]> {
    const { queues, broker } = this.#options;
    const inTurn = [...queues.slice(this.#turn), ...queues.slice(0, this.#turn)];
    const places = prioritySteps.flatMap((step) => inTurn.map((queue) => ({ queue, list: queueKey(queue, step) })));
    const deliveries: Delivery[] = [];
    for (const { queue, list } of places) {
      while (deliveries.length < most) {
        const taken = broker.take(list, { tag: `${tagHead(this.incarnation)}${queue}:${this.#claimed}`, queue });
        if (taken === undefined) break;
        this.#claimed += 1;
        deliveries.push(taken);
      }
    }
    if (deliveries.length > 0) this.#turn = (this.#turn + 1) % queues.length;
    return Promise.resolve(deliveries);
  }

  async settle(batch: readonly Settlement[]): Promise<void> {
    const { broker, results } = this.#options;
    for (const { publications, results: writes, deadLetters, tag } of batch) {
      await broker.publish(publications);
      await results.store(writes);
      broker.dead.push(...deadLetters);
      if (tag !== undefined) broker.release(tag);
    }
  }

  handBack(deliveries: readonly Delivery[]): Promise<void> {
    for (const delivery of deliveries.toReversed()) this.#options.broker.handBack(delivery);
    return Promise.resolve();
  }

  async awaitWork(signal: AbortSignal): Promise<void> {
    const { broker, queues } = this.#options;
    if (signal.aborted || this.#isClosed || queues.some((queue) => broker.count(queue) > 0)) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => resolve(undefined);
    const silence = broker.onRing(this.#wake);
    signal.addEventListener('abort', this.#wake, { once: true });
    await promise;
    silence();
    signal.removeEventListener('abort', this.#wake);
  }

  obey(nodename: string, answer: ControlAnswer): Promise<void> {
    this.#disobey = this.#options.broker.onControl({ nodename, answer });
    return Promise.resolve();
  }

  close(): void {
    this.#disobey?.();
    this.#isClosed = true;
    this.#wake?.();
  }
}
