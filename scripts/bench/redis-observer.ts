import { Redis } from 'ioredis';
import { until } from '../../test/cluster/kube-api.ts';

const ANNOUNCED_WITHIN_MS = 5000;

/** When a list was pushed to, and when each result was announced: one connection hears both, in Redis' order. */
export class RedisObserver {
  readonly #subscriber: Redis;
  readonly pushesMs: number[] = [];
  readonly resultsMs = new Map<string, number>();

  private constructor(subscriber: Redis) {
    this.#subscriber = subscriber;
  }

  /** Observes one queue's list of this database. Turns keyspace notifications for lists on, which cost Redis a little. */
  static async open(redisUrl: string, queue: string): Promise<RedisObserver> {
    const subscriber = new Redis(redisUrl);
    await subscriber.config('SET', 'notify-keyspace-events', 'Kl');
    const observer = new RedisObserver(subscriber);
    const list = `__keyspace@${new URL(redisUrl).pathname.slice(1)}__:${queue}`;
    subscriber.on('pmessage', (_pattern: string, channel: string, text: string) => {
      const nowMs = performance.now();
      if (channel !== list) observer.resultsMs.set(channel.slice('celery-task-meta-'.length), nowMs);
      else if (text === 'lpush') observer.pushesMs.push(nowMs);
    });
    await subscriber.psubscribe(list, 'celery-task-meta-*');
    return observer;
  }

  /**
   * For runs that followed one another: from the first push after the run before to the announcement of each run's
   * final result. What was announced last may still be on its way here.
   */
  async spansMs(finalIds: readonly string[]): Promise<number[]> {
    await until('every final result is announced', ANNOUNCED_WITHIN_MS, () =>
      Promise.resolve(finalIds.every((id) => this.resultsMs.has(id))),
    );
    let before = 0;
    return finalIds.map((id) => {
      const end = this.resultsMs.get(id) ?? Number.NaN;
      const start = this.pushesMs.find((atMs) => atMs > before) ?? Number.NaN;
      before = end;
      return end - start;
    });
  }

  async close(): Promise<void> {
    await this.#subscriber.config('SET', 'notify-keyspace-events', '').catch(() => undefined);
    this.#subscriber.disconnect();
  }
}
