import { Redis } from 'ioredis';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import type { TaskMessageDraft } from '#core/celery/task-message.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { startRedis, type RunningRedis } from './redis.ts';
import { startWorker, type WorkerOptions, type WorkerProcess } from './worker-process.ts';

export interface StoredMeta {
  readonly status: string;
  readonly result: unknown;
  readonly [key: string]: unknown;
}

const WITHIN_MS = 90_000;

/** A Redis of its own, with workers of ours as processes, and what a test says to them and hears of them. */
export class WorkerHarness {
  readonly redis: RunningRedis;
  /** Messages and results are in one database, as Celery's clients and workers take them. */
  readonly queues: Redis;
  readonly broker: RedisBroker;
  readonly #tasks: string;
  readonly #workers: WorkerProcess[] = [];
  #sent = 0;

  private constructor(redis: RunningRedis, tasks: string) {
    this.redis = redis;
    this.#tasks = tasks;
    this.queues = new Redis(redis.url);
    this.queues.on('error', () => undefined);
    this.broker = new RedisBroker({ client: this.queues, prefix: '' });
  }

  static async open(tasks: string): Promise<WorkerHarness> {
    return new WorkerHarness(await startRedis(), tasks);
  }

  async work(options: Partial<WorkerOptions> = {}): Promise<WorkerProcess> {
    const env = { ARPEGGIO_RESULTS_URL: this.redis.url, ...options.env };
    const worker = await startWorker({ url: this.redis.url, tasks: this.#tasks, ...options, env });
    this.#workers.push(worker);
    return worker;
  }

  async send(task: string, args: readonly unknown[], more: Partial<TaskMessageDraft> = {}): Promise<string> {
    this.#sent += 1;
    const id = `t${this.#sent}`;
    const argsText = JSON.stringify(args) as JsonText;
    const draft = { id, task, argsText, kwargsText: '{}' as JsonText, queue: 'celery', deliveryTag: id, ...more };
    const { queue, priority = 0 } = draft;
    await this.broker.publish([{ queue, priority, text: encodeTaskMessage(draft) }]);
    return draft.id;
  }

  /** The stored state, as soon as it matches. */
  async meta(id: string, status = /SUCCESS|FAILURE|REVOKED/): Promise<StoredMeta> {
    return this.until(async () => {
      const text = await this.queues.get(`celery-task-meta-${id}`);
      const meta = text === null ? undefined : (JSON.parse(text) as StoredMeta);
      return meta !== undefined && status.test(meta.status) ? meta : undefined;
    }, `the result of ${id}`);
  }

  async until<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
    const end = Date.now() + WITHIN_MS;
    while (Date.now() < end) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const said = this.#workers.at(-1)?.output() ?? 'nothing';
    throw new Error(`${what} did not come within ${WITHIN_MS} ms; the worker said: ${said}`);
  }

  /** Resolves when no worker holds a message. */
  async untilNothingHeld(): Promise<void> {
    await this.until(async () => ((await this.queues.hlen('unacked')) === 0 ? true : undefined), 'the last release');
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.stop('SIGKILL')));
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    this.queues.disconnect();
    await this.redis.stop();
  }
}
