import type { Consumer, Settlement } from '#io/brokers/broker.ts';
import { persist } from './persist.ts';
import type { WorkerLog } from './worker-ports.ts';

interface Waiting {
  readonly settlement: Settlement;
  readonly done: () => void;
}

/** Gathers what tasks leave behind while an exchange with the broker is on its way, and sends it in one go. */
export class Settler {
  readonly #consumer: Consumer;
  readonly #log: WorkerLog;
  #waiting: Waiting[] = [];
  #isSending = false;

  constructor(consumer: Consumer, log: WorkerLog) {
    this.#consumer = consumer;
    this.#log = log;
  }

  /** Resolves when the broker has it. While the broker is away this waits: a finished task is not given up. */
  settle(settlement: Settlement): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ settlement, done: resolve });
      if (!this.#isSending) {
        this.#isSending = true;
        setImmediate(() => void this.#send());
      }
    });
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await persist(this.#log, () => this.#consumer.settle(batch.map(({ settlement }) => settlement)));
      for (const { done } of batch) done();
    }
    this.#isSending = false;
  }
}
