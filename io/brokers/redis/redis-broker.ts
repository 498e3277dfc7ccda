import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  controlExchange,
  encodeControlRequest,
  revokeRequest,
  type ControlRequest,
} from '#core/celery/control-message.ts';
import { queueKey, queueKeys } from '#core/celery/queue-key.ts';
import { redisScript } from '../../redis/redis-script.ts';
import type { Broker, Holding, Publication } from '../broker.ts';
import { BrokerKeys, MARKED_SECONDS, RETIRED_SECONDS } from '../broker-keys.ts';
import type { Census } from '../census.ts';
import { parseTag } from '../delivery-tag.ts';
import { messageId } from '../message-text.ts';
import { answered } from './answered.ts';
import { RedisInquiry } from './redis-inquiry.ts';
import { restoration } from './restoration.ts';
import { handBackScript, markScript, publishScript, waitingScript } from './scripts.ts';

/** Messages read of each priority list when some are looked for. */
const READ_A_LIST = 10_000;
const MESSAGES_A_CALL = 500;
/** Each of them walks a list: more at once would hold up everybody else. */
const REMOVALS_A_CALL = 50;
/** A Celery worker asks its result store about each before it does anything else. */
const IDS_A_REQUEST = 1_000;

const publishAll = redisScript(publishScript);
const countWaiting = redisScript(waitingScript);
const markAll = redisScript(markScript);
const handBackAll = redisScript(handBackScript);

export interface RedisBrokerOptions {
  /** Used for nothing that blocks. */
  readonly client: Redis;
  /** The connection's `keyPrefix`, `''` for none. */
  readonly prefix: string;
  /** See `RedisInquiry`. */
  readonly settleMs?: number;
}

/** A message and where it goes: the list that workers take from, and the one that wakes them. */
export interface PushedMessage {
  readonly list: string;
  readonly bell: string;
  readonly message: string;
}

/** kombu's Redis transport, seen by publishers and overseers. */
export class RedisBroker implements Broker {
  readonly #client: Redis;
  readonly #keys: BrokerKeys;
  readonly #inquiry: RedisInquiry;

  constructor({ client, prefix, settleMs }: RedisBrokerOptions) {
    this.#client = client;
    this.#keys = new BrokerKeys(prefix);
    this.#inquiry = new RedisInquiry({ client, prefix, settleMs });
  }

  async publish(publications: readonly Publication[]): Promise<void> {
    await this.push(
      publications.map(({ queue, priority, text }) => {
        return { list: this.#keys.list(queueKey(queue, priority)), bell: this.#keys.bell(queue), message: text };
      }),
    );
  }

  /** The same for messages whose keys are known already. */
  async push(messages: readonly PushedMessage[]): Promise<void> {
    for (let start = 0; start < messages.length; start += MESSAGES_A_CALL) {
      const part = messages.slice(start, start + MESSAGES_A_CALL);
      const args = part.flatMap(({ list, bell, message }) => [list, bell, message]);
      await answered(publishAll.run(this.#client, [], args));
    }
  }

  async waiting(queues: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const lists = queues.flatMap((queue) => this.#lists(queue));
    const counts = (await answered(countWaiting.run(this.#client, lists, []))) as number[];
    return new Map(queues.map((queue, index) => [queue, counts[index] ?? 0]));
  }

  async holdings(): Promise<readonly Holding[]> {
    const tags = await answered(this.#client.hkeys(this.#keys.unacked));
    return tags.map((tag) => {
      const parts = parseTag(tag);
      return { tag, queue: parts?.queue, incarnation: parts === undefined ? undefined : `${parts.podUid}.${parts.n}` };
    });
  }

  async find(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    // Hands before lists: a message that goes back in between is then seen at least once; one that is taken is looked for again.
    await this.#findHeld(ids, found);
    for (const list of this.#lists(queue)) {
      const texts = await answered(this.#client.lrange(list, 0, READ_A_LIST - 1));
      // What lies deeper is not read, and so nothing can be called absent.
      if (texts.length === READ_A_LIST) return ids;
      for (const text of texts) keepId(text, ids, found);
    }
    if (found.size < ids.size) await this.#findHeld(ids, found);
    return found;
  }

  async withdraw(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const withdrawn = new Set<string>();
    let isWhole = true;
    for (const list of this.#lists(queue)) {
      const texts = await answered(this.#client.lrange(list, 0, READ_A_LIST - 1));
      isWhole &&= texts.length < READ_A_LIST;
      for (const id of await this.#remove(list, messagesOf(texts, ids))) withdrawn.add(id);
    }
    if (!isWhole) await this.#mark([...ids].filter((id) => !withdrawn.has(id)));
    return withdrawn;
  }

  async revoke(ids: ReadonlySet<string>): Promise<void> {
    const all = [...ids];
    for (let start = 0; start < all.length; start += IDS_A_REQUEST) {
      await this.#broadcast(revokeRequest(all.slice(start, start + IDS_A_REQUEST)));
    }
  }

  ask(ids: ReadonlySet<string>): Promise<Census> {
    return this.#inquiry.ask(ids);
  }

  async restoreGone(podUid: string): Promise<number> {
    const living = Number(await answered(this.#client.get(this.#keys.counter(podUid))));
    const tags = await answered(this.#client.hkeys(this.#keys.unacked));
    const gone = tags.filter((tag) => {
      const parts = parseTag(tag);
      return parts?.podUid === podUid && parts.n < living;
    });
    gone.sort(byTaking);
    let moved = 0;
    // From the newest to the oldest: each goes to the very front, so the oldest ends up first.
    for (let end = gone.length; end > 0; end -= MESSAGES_A_CALL) {
      moved += await this.#restore(gone.slice(Math.max(0, end - MESSAGES_A_CALL), end).reverse());
    }
    return moved;
  }

  async retire(podUid: string): Promise<number> {
    const counter = this.#keys.counter(podUid);
    await answered(this.#client.multi().incr(counter).expire(counter, RETIRED_SECONDS).exec());
    return this.restoreGone(podUid);
  }

  /** Removes these very texts from a list and says of which messages they were there. */
  async #remove(list: string, messages: readonly FoundMessage[]): Promise<readonly string[]> {
    const removed: string[] = [];
    for (let start = 0; start < messages.length; start += REMOVALS_A_CALL) {
      const part = messages.slice(start, start + REMOVALS_A_CALL);
      const counts = await Promise.all(part.map(({ text }) => answered(this.#client.lrem(list, 1, text))));
      removed.push(...part.filter((_each, index) => (counts[index] ?? 0) > 0).map(({ id }) => id));
    }
    return removed;
  }

  /** They lie too deep, or in a worker's hands: whoever takes one later shall not run it. */
  async #mark(ids: readonly string[]): Promise<void> {
    const key = this.#keys.marked;
    for (let start = 0; start < ids.length; start += IDS_A_REQUEST) {
      const part = ids.slice(start, start + IDS_A_REQUEST);
      await answered(markAll.run(this.#client, [key], [MARKED_SECONDS, ...part]));
      const request = revokeRequest(part);
      await this.#broadcast({ ...request, arguments: { ...request.arguments, terminate: false } });
    }
  }

  async #broadcast(request: ControlRequest): Promise<void> {
    const channel = this.#keys.channel(this.#client.options.db ?? 0, controlExchange);
    await answered(this.#client.publish(channel, encodeControlRequest(request, randomUUID())));
  }

  async #restore(tags: readonly string[]): Promise<number> {
    const entries = await answered(this.#client.hmget(this.#keys.unacked, ...tags));
    const args = tags.flatMap((tag, index) => {
      const entry = entries[index];
      const queue = parseTag(tag)?.queue;
      return entry == null || queue === undefined ? [] : [tag, ...restoration(entry, queue, this.#keys)];
    });
    if (args.length === 0) return 0;
    return Number(await answered(handBackAll.run(this.#client, [this.#keys.unacked, this.#keys.unackedIndex], args)));
  }

  async #findHeld(ids: ReadonlySet<string>, found: Set<string>): Promise<void> {
    let cursor = '0';
    do {
      const [next, flat] = await answered(this.#client.hscan(this.#keys.unacked, cursor, 'COUNT', MESSAGES_A_CALL));
      for (let index = 1; index < flat.length; index += 2) keepId(flat[index] ?? '', ids, found);
      cursor = next;
    } while (cursor !== '0');
  }

  #lists(queue: string): string[] {
    return queueKeys(queue).map((name) => this.#keys.list(name));
  }
}

/** A hash has no order of its own. */
function byTaking(a: string, b: string): number {
  const [first, second] = [parseTag(a), parseTag(b)];
  return (first?.n ?? 0) - (second?.n ?? 0) || (first?.number ?? 0) - (second?.number ?? 0);
}

interface FoundMessage {
  readonly id: string;
  readonly text: string;
}

function messagesOf(texts: readonly string[], ids: ReadonlySet<string>): readonly FoundMessage[] {
  return texts.flatMap((text) => {
    const id = messageId(text);
    return id !== undefined && ids.has(id) ? [{ id, text }] : [];
  });
}

function keepId(text: string, ids: ReadonlySet<string>, found: Set<string>): void {
  const id = messageId(text);
  if (id !== undefined && ids.has(id)) found.add(id);
}
