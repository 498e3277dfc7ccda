import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { fail } from '#core/base/result.ts';
import {
  controlExchange,
  decodeControlReply,
  encodeControlRequest,
  replyExchange,
  type ControlReply,
} from '#core/celery/control-message.ts';
import { inspectRequest, type InspectMethod } from '#core/celery/inspection.ts';
import { redisScript } from '../../redis/redis-script.ts';
import { BrokerKeys } from '../broker-keys.ts';
import { takeCensus, type Answers, type Census } from '../census.ts';
import { answered } from './answered.ts';
import { BINDING_SEPARATOR } from './redis-control.ts';
import { askScript } from './scripts.ts';

/** Celery's own clients wait one second; a busy node is given a second more. */
const ANSWER_WITHIN_MS = 2_000;
const FIRST_LOOK_MS = 5;
const LONGEST_LOOK_MS = 100;
/** Answers that nobody comes to read are kept no longer. */
const REPLIES_SECONDS = 60;
/** kombu's own term for bindings that are not declared for good. */
const BINDING_MS = 3_600_000;
/** A Celery worker that lost its broker tries again every 30 s at the latest. */
const SETTLE_MS = 35_000;

/** Of a command, and of one in a script: Redis 7 says the latter in other words. */
const notPermitted = /NOPERM|user executing the script can't/;

const askAll = redisScript(askScript);

export interface RedisInquiryOptions {
  readonly client: Redis;
  /** The connection's `keyPrefix`, `''` for none. */
  readonly prefix: string;
  /** After (re)connecting nobody is missed for so long: workers may still be on their way back. Default 35,000. */
  readonly settleMs?: number | undefined;
}

/** Asks the workers of a broker by Celery's remote control. Redis tells how many heard it, and so how many must answer. */
export class RedisInquiry {
  readonly #client: Redis;
  readonly #keys: BrokerKeys;
  readonly #routingKey = `arpeggio-${randomUUID()}`;
  readonly #settleMs: number;
  #connectedAtMs = Date.now();

  constructor({ client, prefix, settleMs = SETTLE_MS }: RedisInquiryOptions) {
    this.#client = client;
    this.#keys = new BrokerKeys(prefix);
    this.#settleMs = settleMs;
    client.on('ready', () => (this.#connectedAtMs = Date.now()));
  }

  async ask(ids: ReadonlySet<string>): Promise<Census> {
    const askedAtMs = Date.now();
    try {
      const { holders, workers } = await takeCensus(ids, (methods, about) => this.#answers(methods, about));
      // Below zero when the connection was made anew meanwhile.
      const connectedMs = askedAtMs - this.#connectedAtMs;
      if (!workers.ok || holders.size === ids.size || connectedMs >= this.#settleMs) return { holders, workers };
      const since = `the broker is connected for less than ${this.#settleMs / 1_000} s`;
      return { holders, workers: fail(`${since}, and workers may be on their way back`) };
    } catch (error) {
      if (!(error instanceof Error) || !notPermitted.test(error.message)) throw error;
      return { holders: new Map(), workers: fail(this.#permissionWanted()) };
    }
  }

  async #answers(methods: readonly InspectMethod[], ids: ReadonlySet<string>): Promise<Answers> {
    const tickets = new Map(methods.map((method) => [randomUUID() as string, method]));
    const queue = `${this.#routingKey}.${replyExchange}`;
    const list = this.#keys.list(queue);
    const binding = this.#keys.binding(replyExchange);
    const member = [this.#routingKey, '', queue].join(BINDING_SEPARATOR);
    const messages = [...tickets].map(([ticket, method]) => {
      const request = inspectRequest(method, ids, { routingKey: this.#routingKey, ticket });
      return encodeControlRequest(request, randomUUID());
    });
    const channel = this.#keys.channel(this.#client.options.db ?? 0, controlExchange);
    const keys = [binding, this.#keys.list('_kombu.binding_deadlines'), list];
    const args = [member, replyExchange, Date.now() + BINDING_MS, REPLIES_SECONDS, channel, ...messages];
    try {
      const heard = Number(await answered(askAll.run(this.#client, keys, args)));
      const texts = await this.#awaited(list, heard * methods.length);
      return { heard, replies: byMethod(texts, tickets) };
    } finally {
      // What cannot be cleaned up now expires, and the binding is used again.
      await this.#client
        .multi()
        .srem(binding, member)
        .del(list)
        .exec()
        .catch(() => undefined);
    }
  }

  /** What lies in the list when all have answered, or when the time is up. Its last entry is the script's own. */
  async #awaited(list: string, count: number): Promise<readonly string[]> {
    const untilMs = Date.now() + ANSWER_WITHIN_MS;
    for (let waitMs = FIRST_LOOK_MS; Date.now() < untilMs; waitMs = Math.min(LONGEST_LOOK_MS, waitMs * 2)) {
      if ((await answered(this.#client.llen(list))) > count) break;
      await after(waitMs);
    }
    return answered(this.#client.lrange(list, 0, -2));
  }

  #permissionWanted(): string {
    const channel = this.#keys.channel(this.#client.options.db ?? 0, controlExchange);
    const replies = `${this.#keys.list('arpeggio-*')}.${replyExchange}`;
    const keys = [this.#keys.binding(replyExchange), this.#keys.list('_kombu.binding_deadlines'), replies];
    const wanted = [`&${channel}`, ...keys.map((key) => `~${key}`)].join(' ');
    return `the operator's account may not ask the workers of the broker: it needs ${wanted}`;
  }
}

function byMethod(
  texts: readonly string[],
  tickets: ReadonlyMap<string, InspectMethod>,
): ReadonlyMap<InspectMethod, readonly ControlReply[]> {
  const replies = texts.flatMap((text) => decodeControlReply(text) ?? []);
  return new Map([...tickets].map(([ticket, method]) => [method, replies.filter((reply) => reply.ticket === ticket)]));
}
