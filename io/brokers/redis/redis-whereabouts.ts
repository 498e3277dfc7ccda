import type { ChainableCommander, Redis } from 'ioredis';
import { queueKeys } from '#core/celery/queue-key.ts';

/** Messages read in one call. */
const messagesPerCall = 1_000;
/** Beyond so many waiting messages of one list the rest is not read: what lies that deep is certainly not lost. */
const mostMessages = 10_000;

const idIn = /"correlation_id": ?"([^"]+)"/;

export interface RedisWhereaboutsOptions {
  readonly client: Redis;
  /** The broker's key prefix, `''` for none. */
  readonly prefix: string;
}

/** Which messages of a queue still exist, read from kombu's lists and its `unacked` hash. */
export class RedisWhereabouts {
  readonly #client: Redis;
  readonly #prefix: string;

  constructor({ client, prefix }: RedisWhereaboutsOptions) {
    this.#client = client;
    this.#prefix = prefix;
  }

  /**
   * Those of `ids` that wait in the queue or are in a worker's hands. A list deeper than 10,000 messages counts as
   * holding them all: absence can only be judged by reading the whole list.
   */
  async present(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    // First the lists, then what was taken from them meanwhile.
    for (const list of this.#lists(queue)) {
      const isWhole = await this.#eachMessage(list, (message) => note(message, ids, found));
      if (!isWhole) return ids;
    }
    await this.#eachUnacked((message) => note(message, ids, found));
    return found;
  }

  /** Removes waiting messages of these ids; what a worker took meanwhile stays with it. */
  async withdraw(queue: string, ids: ReadonlySet<string>): Promise<void> {
    for (const list of this.#lists(queue)) {
      const texts: string[] = [];
      await this.#eachMessage(list, (message) => {
        if (ids.has(idIn.exec(message)?.[1] ?? '')) texts.push(message);
      });
      const pipeline = this.#client.pipeline();
      for (const text of texts) pipeline.lrem(list, 1, text);
      await performed(pipeline);
    }
  }

  async publish(
    entries: readonly { readonly list: string; readonly bell: string; readonly message: string }[],
  ): Promise<void> {
    const pipeline = this.#client.multi();
    for (const { list, bell, message } of entries) pipeline.lpush(list, message).lpush(bell, '1').ltrim(bell, 0, 63);
    await performed(pipeline);
  }

  #lists(queue: string): readonly string[] {
    return queueKeys(queue).map((key) => this.#prefix + key);
  }

  /** From the end at which messages arrive: what arrives meanwhile is read twice, and nothing is passed over. */
  async #eachMessage(list: string, look: (message: string) => void): Promise<boolean> {
    for (let start = 0; start < mostMessages; start += messagesPerCall) {
      const messages = await this.#client.lrange(list, start, start + messagesPerCall - 1);
      if (messages.length === 0) return true;
      for (const message of messages) look(message);
    }
    return false;
  }

  async #eachUnacked(look: (message: string) => void): Promise<void> {
    let cursor = '0';
    do {
      const [next, fields] = await this.#client.hscan(`${this.#prefix}unacked`, cursor, 'COUNT', messagesPerCall);
      fields.forEach((field, index) => {
        // The hash holds JSON of JSON: the envelope's own quotes are escaped there.
        if (index % 2 === 1) look(field.replaceAll('\\"', '"'));
      });
      cursor = next;
    } while (cursor !== '0');
  }
}

function note(message: string, ids: ReadonlySet<string>, found: Set<string>): void {
  const id = idIn.exec(message)?.[1];
  if (id !== undefined && ids.has(id)) found.add(id);
}

/** A pipeline tells of its commands' errors in its replies; the first one is thrown. */
async function performed(pipeline: ChainableCommander): Promise<void> {
  const replies = await pipeline.exec();
  const error = replies?.find(([failed]) => failed !== null)?.[0];
  if (error != null) throw error;
}
