import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  controlExchange,
  decodeControlRequest,
  encodeControlReply,
  isMeant,
  replyExchange,
  type ControlRequest,
} from '#core/celery/control-message.ts';
import { BrokerUnavailable, type ControlAnswer } from '../broker.ts';
import { BrokerKeys } from '../broker-keys.ts';
import { answered } from './answered.ts';

/** kombu's `sep` within the members of a binding: routing key, pattern, queue. */
export const BINDING_SEPARATOR = '\x06\x16';

export interface RedisControlOptions {
  readonly client: Redis;
  /** Opens one more client, which does nothing but listen. */
  readonly openSubscriber: () => Redis;
  readonly db: number;
  readonly prefix: string;
}

/** Celery's remote control as a worker hears it. */
export class RedisControl {
  readonly #options: RedisControlOptions;
  readonly #keys: BrokerKeys;
  readonly #subscribers: Redis[] = [];
  #clock = 0;

  constructor(options: RedisControlOptions) {
    this.#options = options;
    this.#keys = new BrokerKeys(options.prefix);
  }

  /** Resolves when it is heard for the first time; rejects when the account may not listen. */
  async listen(nodename: string, answer: ControlAnswer): Promise<void> {
    const subscriber = this.#options.openSubscriber();
    this.#subscribers.push(subscriber);
    subscriber.on('message', (_channel: string, text: string) => {
      const request = decodeControlRequest(text);
      if (request.ok && isMeant(nodename, request.value)) void this.#respond(nodename, request.value, answer);
    });
    const channel = this.#keys.channel(this.#options.db, controlExchange);
    const heard = Promise.withResolvers<undefined>();
    const subscribe = (): void => {
      // When the connection breaks meanwhile, the next `ready` subscribes again.
      subscriber.subscribe(channel).then(
        () => heard.resolve(undefined),
        (cause: unknown) => {
          const isRefused = cause instanceof Error && cause.name === 'ReplyError';
          if (isRefused) heard.reject(new BrokerUnavailable(cause.message, { cause, isRefusal: true }));
        },
      );
    };
    subscriber.on('ready', subscribe);
    if (subscriber.status === 'ready') subscribe();
    await heard.promise;
  }

  close(): void {
    for (const subscriber of this.#subscribers) subscriber.disconnect();
  }

  async #respond(nodename: string, request: ControlRequest, answerTo: ControlAnswer): Promise<void> {
    const answer = answerTo(request);
    const { reply } = request;
    if (reply === undefined || answer === undefined) return;
    this.#clock += 1;
    const text = encodeControlReply({ nodename, answer, clock: this.#clock }, reply, randomUUID());
    try {
      const bindings = await answered(this.#options.client.smembers(this.#keys.binding(replyExchange)));
      const queues = bindings.flatMap((binding) => {
        const [routingKey, , queue] = binding.split(BINDING_SEPARATOR);
        return routingKey === reply.routingKey && queue !== undefined ? [queue] : [];
      });
      // Without a binding nobody waits any more, and what is pushed would stay for ever.
      for (const queue of queues) await answered(this.#options.client.lpush(this.#keys.list(queue), text));
    } catch {
      // Who asked sees no answer, as from a worker that is away.
    }
  }
}
