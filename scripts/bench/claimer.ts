import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { probeQueue } from './bench.ts';
import { successOf } from './success-of.ts';

const A_CALL = 500;
const LOOK_AGAIN_MS = 5;

/** The benchmark as the worker of the probe queue, which answers when it likes. */
export class Claimer {
  readonly #redis: Redis;
  readonly #store: RedisResultStore;

  constructor(redisUrl: string) {
    this.#redis = new Redis(redisUrl);
    const openSubscriber = (): Redis => new Redis(redisUrl);
    this.#store = new RedisResultStore({ client: this.#redis, openSubscriber, prefix: '' });
  }

  /** Takes so many messages; resolves with the ids of their tasks. Rejects when they do not come in time. */
  async claim(count: number, withinMs: number): Promise<readonly string[]> {
    const endMs = performance.now() + withinMs;
    const ids: string[] = [];
    while (ids.length < count) {
      const popped = (await this.#redis.rpop(probeQueue, Math.min(A_CALL, count - ids.length))) ?? [];
      ids.push(...popped.map(idOf));
      if (popped.length === 0) await sleep(LOOK_AGAIN_MS);
      if (performance.now() > endMs) throw new Error(`${ids.length} of ${count} messages came within ${withinMs} ms`);
    }
    return ids;
  }

  /** Stores that these tasks returned null, all in one go. */
  async answer(ids: readonly string[]): Promise<void> {
    await this.#store.store(ids.map((id) => ({ id, text: successOf(id) })));
  }

  close(): void {
    this.#redis.disconnect();
  }
}

function idOf(text: string): string {
  const message = decodeTaskMessage(text);
  if (!message.ok) throw new Error(`a message that cannot be read: ${JSON.stringify(message.error)}`);
  return message.value.id;
}
