import { resultKeyPrefix } from '#core/celery/result-meta.ts';
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
      await this.#settleAll(batch);
    }
    this.#isSending = false;
  }

  /** What the broker refuses for good hurts nobody else: the batch is taken apart until the one is found. */
  async #settleAll(batch: readonly Waiting[]): Promise<void> {
    const wasTaken = await persist(this.#ports, () => this.#tried(batch.map(({ settlement }) => settlement)));
    const [only] = batch;
    if (wasTaken) for (const { done } of batch) done();
    else if (batch.length === 1 && only !== undefined) void this.#settleRefused(only);
    else for (const each of batch) await this.#settleAll([each]);
  }

  /** Alone, for as long as it takes: what others leave behind is settled meanwhile. */
  async #settleRefused({ settlement, done }: Waiting): Promise<void> {
    const { log, consumer } = this.#ports;
    const { publications } = settlement;
    const onlySent = { publications, results: [], deadLetters: [], tag: undefined };
    const wasSent = publications.length === 0 || (await persist(this.#ports, () => this.#tried([onlySent])));
    if (!wasSent)
      log.warn({}, 'a callback or next step could not be sent: its queue is no list; it is kept as a dead letter');
    const rest = wasSent ? { ...settlement, publications: [] } : withoutPublications(settlement);
    const wasTaken = await persist(this.#ports, () => this.#tried([rest]));
    if (!wasTaken) {
      const fields = { keys: keysOf(rest) };
      log.error(fields, 'what a task left behind is refused: one of these keys is of another type; remove it');
      await persist(this.#ports, () => consumer.settle([rest]));
    }
    done();
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

/** Where it would be written; the connection's prefixes stand before them. */
function keysOf({ results, deadLetters }: Settlement): readonly string[] {
  return [...results.map(({ id }) => resultKeyPrefix + id), ...deadLetters.map(({ queue }) => `arp:dead:${queue}`)];
}

/** The same, with what cannot be sent kept for people. */
function withoutPublications(settlement: Settlement): Settlement {
  const message = 'the key of the queue in the broker holds something that is no list: remove or rename one of them';
  const unsent = settlement.publications.map(({ queue, text }) => ({ queue, reason: 'NotSent', message, text }));
  return { ...settlement, publications: [], deadLetters: [...settlement.deadLetters, ...unsent] };
}
