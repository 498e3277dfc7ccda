import type { Redis } from 'ioredis';
import { prioritySteps, queueKey, queueKeys } from '#core/celery/queue-key.ts';
import { resultKeyPrefixUnder } from '#core/celery/result-key.ts';
import { redisScript, type ScriptArgument } from '../../redis/redis-script.ts';
import { ResultStoreUnavailable, type ResultStore } from '../../results/result-store.ts';
import {
  BrokerUnavailable,
  type Consumer,
  type ControlAnswer,
  type DeadLetter,
  type Delivery,
  type Publication,
  type Settlement,
} from '../broker.ts';
import { BrokerKeys } from '../broker-keys.ts';
import { parseTag, tagHead } from '../delivery-tag.ts';
import { messagePriority } from '../message-text.ts';
import { answered } from './answered.ts';
import { RedisControl } from './redis-control.ts';
import { RedisWake } from './redis-wake.ts';
import { heldText } from './restoration.ts';
import { claimScript, handBackScript, settleScript } from './scripts.ts';

const claimMessages = redisScript(claimScript);
const settleAll = redisScript(settleScript);
const handBackAll = redisScript(handBackScript);

/** Where results go: another database of the broker's own server, or another server. */
export type ResultsPlace =
  { readonly db: number; readonly prefix: string; readonly expiresSeconds: number } | { readonly store: ResultStore };

export interface RedisConsumerOptions {
  readonly client: Redis;
  /** Opens one more client for a blocking call or a subscription. */
  readonly openBlocking: () => Redis;
  /** The broker's database. */
  readonly db: number;
  readonly prefix: string;
  /** Names on the wire. */
  readonly queues: readonly string[];
  readonly podUid: string;
  readonly results: ResultsPlace;
}

/** Begins an incarnation of this pod: from now on every earlier one is gone. */
export async function openRedisConsumer(options: RedisConsumerOptions): Promise<Consumer> {
  const n = await answered(options.client.incr(new BrokerKeys(options.prefix).counter(options.podUid)));
  return new RedisConsumer(options, `${options.podUid}.${n}`);
}

class RedisConsumer implements Consumer {
  readonly incarnation: string;
  readonly #options: RedisConsumerOptions;
  readonly #keys: BrokerKeys;
  readonly #wake: RedisWake;
  readonly #control: RedisControl;
  /** Settled anew since what comes after them could not be stored, these are not sent again. */
  readonly #sent = new WeakSet<Publication>();
  /** Tags of what was taken and is neither done nor handed back. */
  readonly #held = new Set<string>();
  #claimed = 0;
  /** First number of a claim whose answer has not come. */
  #unansweredFrom: number | undefined;
  /** The connection was made anew since the books were last compared with what is held. */
  #isAnew = false;
  #turn = 0;

  constructor(options: RedisConsumerOptions, incarnation: string) {
    this.#options = options;
    this.#keys = new BrokerKeys(options.prefix);
    this.incarnation = incarnation;
    const { client, openBlocking: openSubscriber, db, prefix } = options;
    client.on('ready', () => (this.#isAnew = true));
    this.#control = new RedisControl({ client, openSubscriber, db, prefix });
    this.#wake = new RedisWake({
      openBlocking: options.openBlocking,
      client: options.client,
      lists: options.queues.map((queue) => this.#keys.list(queue)),
      bells: options.queues.map((queue) => this.#keys.bell(queue)),
      watched: options.queues.flatMap(queueKeys).map((name) => this.#keys.list(name)),
    });
  }

  async claim(most: number): Promise<readonly Delivery[]> {
    await this.#handBackUnknown();
    const { queues, client } = this.#options;
    const first = this.#claimed;
    // Numbers are given out before the answer comes: a call whose answer is lost may have used them.
    this.#claimed += most;
    const inTurn = [...queues.slice(this.#turn), ...queues.slice(0, this.#turn)];
    const places = prioritySteps.flatMap((step) => inTurn.map((queue) => ({ queue, list: queueKey(queue, step) })));
    const books = [this.#keys.unacked, this.#keys.unackedIndex, this.#keys.marked];
    const keys = [...books, ...places.map(({ list }) => this.#keys.list(list))];
    const args = [
      most,
      tagHead(this.incarnation),
      first,
      ...places.flatMap(({ queue }) => [queue, this.#keys.bell(queue)]),
    ];
    this.#unansweredFrom = first;
    const answer = (await answered(claimMessages.run(client, keys, args))) as (number | string)[];
    this.#unansweredFrom = undefined;
    if (answer.length > 0) this.#turn = (this.#turn + 1) % queues.length;
    const deliveries: Delivery[] = [];
    for (let index = 0; index < answer.length; index += 2) {
      const place = Number(answer[index]);
      const queue = places[place < 0 ? -1 - place : place]?.queue ?? '';
      const tag = `${tagHead(this.incarnation)}${queue}:${first + index / 2}`;
      this.#held.add(tag);
      const delivery = { tag, queue, text: String(answer[index + 1]) };
      deliveries.push(place < 0 ? { ...delivery, isWithdrawn: true } : delivery);
    }
    return deliveries;
  }

  async settle(batch: readonly Settlement[]): Promise<void> {
    await this.#settle(batch);
    for (const { tag } of batch) if (tag !== undefined) this.#held.delete(tag);
  }

  async #settle(batch: readonly Settlement[]): Promise<void> {
    const { results } = this.#options;
    if ('db' in results) return this.#call(batch, { ...results, isHere: true });
    const writes = batch.flatMap((each) => [...each.results]);
    const unsent = batch.map((each) => ({
      ...each,
      publications: each.publications.filter((one) => !this.#sent.has(one)),
    }));
    if (writes.length === 0) return this.#call(unsent, nowhere);
    // Publications first and release last, as Celery orders them: a crash in between runs the task again.
    const toSend = unsent.flatMap(({ publications }) => publications);
    await this.#call([{ publications: toSend, results: [], deadLetters: [], tag: undefined }], nowhere);
    for (const each of toSend) this.#sent.add(each);
    await results.store.store(writes).catch(notStored);
    await this.#call(
      batch.map((each) => ({ ...each, publications: [] })),
      nowhere,
    );
  }

  async handBack(deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    // Whether or not the server hears it: nobody here will run them.
    for (const { tag } of deliveries) this.#held.delete(tag);
    const args = deliveries.toReversed().flatMap(({ tag, queue, text }) => {
      return [tag, this.#keys.list(queueKey(queue, messagePriority(text))), this.#keys.bell(queue), text];
    });
    await answered(handBackAll.run(this.#options.client, [this.#keys.unacked, this.#keys.unackedIndex], args));
  }

  awaitWork(signal: AbortSignal): Promise<void> {
    return this.#wake.wait(signal);
  }

  obey(nodename: string, answer: ControlAnswer): Promise<void> {
    return this.#control.listen(nodename, answer);
  }

  close(): void {
    this.#wake.close();
    this.#control.close();
  }

  /**
   * A claim whose answer was lost may have put messages into our hands without our knowing. And a server that we connect
   * to anew may have lost its last second, and with it that we were done with a message, or that we gave back what an
   * earlier incarnation of this pod held: the books would name us for what nobody holds. All that goes back first.
   */
  async #handBackUnknown(): Promise<void> {
    const from = this.#isAnew ? 0 : this.#unansweredFrom;
    if (from === undefined) return;
    const wasAnew = this.#isAnew;
    this.#isAnew = false;
    try {
      await this.handBack((await this.#heldFrom(from)).filter(({ tag }) => !this.#held.has(tag)));
    } catch (error) {
      this.#isAnew ||= wasAnew;
      throw error;
    }
    this.#unansweredFrom = undefined;
  }

  /** What stands in the books for this incarnation from this number on, and when that is 0 for earlier ones as well. */
  async #heldFrom(first: number): Promise<readonly Delivery[]> {
    const { client, podUid } = this.#options;
    const own = Number(this.incarnation.slice(podUid.length + 1));
    const held = (await answered(client.hkeys(this.#keys.unacked)))
      .flatMap((tag) => {
        const parts = parseTag(tag);
        return parts?.podUid === podUid ? [{ tag, ...parts }] : [];
      })
      .filter(({ n, number }) => (n === own ? number >= first : n < own && first === 0))
      .sort((one, other) => one.n - other.n || one.number - other.number);
    if (held.length === 0) return [];
    const entries = await answered(client.hmget(this.#keys.unacked, ...held.map(({ tag }) => tag)));
    return held.flatMap(({ tag, queue }, index) => {
      const entry = entries[index];
      return entry == null ? [] : [{ tag, queue, text: heldText(entry) }];
    });
  }

  async #call(batch: readonly Settlement[], place: ScriptPlace): Promise<void> {
    const publications = batch.flatMap((each) => each.publications);
    const results = place.isHere ? batch.flatMap((each) => each.results) : [];
    const dead = batch.flatMap((each) => each.deadLetters);
    const tags = batch.map(({ tag }) => tag).filter((tag) => tag !== undefined);
    if (publications.length + results.length + dead.length + tags.length === 0) return;
    const keyPrefix = resultKeyPrefixUnder(place.prefix);
    const args: ScriptArgument[] = [this.#options.db, place.db, place.expiresSeconds];
    args.push(publications.length, results.length, dead.length, tags.length);
    for (const { queue, priority, text } of publications) {
      args.push(this.#keys.list(queueKey(queue, priority)), this.#keys.bell(queue), text);
    }
    for (const { id, text } of results) args.push(keyPrefix + id, text);
    for (const each of dead) args.push(this.#keys.dead(each.queue), deadText(each));
    args.push(...tags);
    await answered(settleAll.run(this.#options.client, [this.#keys.unacked, this.#keys.unackedIndex], args));
  }
}

interface ScriptPlace {
  readonly isHere: boolean;
  readonly db: number;
  readonly prefix: string;
  readonly expiresSeconds: number;
}

const nowhere: ScriptPlace = { isHere: false, db: 0, prefix: '', expiresSeconds: 0 };

function deadText({ reason, message, text }: DeadLetter): string {
  return JSON.stringify({ reason, message, at: new Date().toISOString(), text });
}

/** A result that is refused for good must hold up no other: who settles has to tell it from a store that is away. */
function notStored(error: unknown): never {
  const isRefusal = error instanceof ResultStoreUnavailable && error.isRefusal;
  throw new BrokerUnavailable((error as Error).message, { cause: error, isRefusal });
}
