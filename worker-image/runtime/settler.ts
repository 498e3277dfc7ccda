import { BrokerUnavailable, type Consumer, type Settlement } from '#io/brokers/broker.ts';
import { persist, type PersistPorts } from './persist.ts';

type SettlerPorts = PersistPorts & { readonly consumer: Pick<Consumer, 'settle'> };

interface Waiting {
  readonly settlement: Settlement;
  readonly done: () => void;
}

/** Gathers what tasks leave behind while an exchange with the broker is on its way, and sends it in one go. */
export class Settler {
  readonly #ports: SettlerPorts;
  #waiting: Waiting[] = [];
  #isSending = false;

  constructor(ports: SettlerPorts) {
    this.#ports = ports;
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
      await this.#settleAll(batch.map(({ settlement }) => settlement));
      for (const { done } of batch) done();
    }
    this.#isSending = false;
  }

  /** What the broker refuses for good hurts nobody else: the batch is taken apart until the one is found. */
  async #settleAll(settlements: readonly Settlement[]): Promise<void> {
    const wasTaken = await persist(this.#ports, () => this.#tried(settlements));
    if (wasTaken) return;
    if (settlements.length > 1) {
      for (const each of settlements) await this.#settleAll([each]);
      return;
    }
    this.#ports.log.warn(
      {},
      'a callback or next step could not be sent: its queue is no list; it is kept as a dead letter',
    );
    await persist(this.#ports, () => this.#ports.consumer.settle(settlements.map(withoutPublications)));
  }

  async #tried(settlements: readonly Settlement[]): Promise<boolean> {
    try {
      await this.#ports.consumer.settle(settlements);
      return true;
    } catch (error) {
      if (error instanceof BrokerUnavailable && error.isRefusal) return false;
      throw error;
    }
  }
}

/** The same, with what cannot be sent kept for people. */
function withoutPublications(settlement: Settlement): Settlement {
  const message = 'the key of the queue in the broker holds something that is no list: remove or rename one of them';
  const unsent = settlement.publications.map(({ queue, text }) => ({ queue, reason: 'NotSent', message, text }));
  return { ...settlement, publications: [], deadLetters: [...settlement.deadLetters, ...unsent] };
}
