import type { Hearing, ResultListener } from '#io/results/result-store.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Faults } from '../kernel/faults.ts';
import type { Timeline } from '../kernel/timeline.ts';
import type { FakeRedis } from '../servers/fake-redis.ts';
import type { Subscription } from '../servers/redis-ports.ts';

interface Subscriber {
  readonly client: Actor;
  readonly listener: ResultListener;
  incarnation: number;
  isConnected: boolean;
}

const reconnectMs = 300;

/** Redis' pub/sub: whoever is connected hears, perhaps late, twice or not at all; nobody is told what was missed. */
export class HintChannel {
  readonly #timeline: Timeline;
  readonly #faults: Faults;
  readonly #redis: FakeRedis;
  readonly #latencyMs: number;
  readonly #subscribers = new Set<Subscriber>();

  constructor(
    redis: FakeRedis,
    { timeline, faults, latencyMs }: { timeline: Timeline; faults: Faults; latencyMs: number },
  ) {
    this.#redis = redis;
    this.#timeline = timeline;
    this.#faults = faults;
    this.#latencyMs = latencyMs;
    redis.onAnnounced = (id, text) => this.#announce(id, text);
  }

  subscriptionOf(client: Actor): Subscription {
    return { subscribe: (listener) => this.#subscribe(client, listener) };
  }

  /** Every subscriber's connection breaks; each comes back when Redis is there. */
  cut(): void {
    for (const subscriber of this.#subscribers) this.#reconnect(subscriber);
  }

  #subscribe(client: Actor, listener: ResultListener): Hearing {
    const subscriber = { client, listener, incarnation: this.#redis.incarnation, isConnected: false };
    this.#subscribers.add(subscriber);
    this.#connect(subscriber, this.#latencyMs);
    return { close: () => void this.#subscribers.delete(subscriber) };
  }

  #connect(subscriber: Subscriber, delayMs: number): void {
    this.#timeline.in(delayMs, subscriber.client, 'subscribed', () => {
      if (!this.#subscribers.has(subscriber)) return;
      if (!this.#redis.isUp) {
        this.#connect(subscriber, reconnectMs);
        return;
      }
      subscriber.isConnected = true;
      subscriber.listener.missed();
    });
  }

  #reconnect(subscriber: Subscriber): void {
    if (!subscriber.isConnected) return;
    subscriber.isConnected = false;
    this.#connect(subscriber, reconnectMs);
  }

  #announce(id: string, text: string): void {
    for (const subscriber of this.#subscribers) {
      if (subscriber.client.isDead) this.#subscribers.delete(subscriber);
      else if (subscriber.isConnected) this.#send(subscriber, id, text);
    }
  }

  #send(subscriber: Subscriber, id: string, text: string): void {
    const { name } = subscriber.client;
    if (this.#faults.strike('SubscriberCut', name) !== undefined) {
      this.#reconnect(subscriber);
      return;
    }
    if (this.#faults.strike('HintLost', name) !== undefined) return;
    const late = this.#faults.strike('HintLate', name);
    const delayMs = this.#latencyMs + (late === undefined ? 0 : this.#faults.size(late, 5, 8_000));
    const times = this.#faults.strike('HintRepeated', name) === undefined ? 1 : 2;
    for (let i = 0; i < times; i += 1) {
      this.#timeline.in(delayMs * (1 + 3 * i), subscriber.client, 'hint', () => {
        if (this.#subscribers.has(subscriber)) subscriber.listener.heard(id, text);
      });
    }
  }
}
