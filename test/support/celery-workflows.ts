import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { parseJson } from '#core/base/json-text.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { decodeResultMeta } from '#core/celery/result-meta.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import type { StepFailure } from '#core/resources/workflow-status.ts';
import { rootIdOf } from '#core/workflow/message.ts';
import { summarise } from '#core/workflow/summary.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { RedisRunStore } from '#io/runs/redis/redis-run-store.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { RunEngine } from '#operator/runs/run-engine.ts';
import type { Clock } from '#operator/runs/run-ports.ts';
import { redisClient } from './run-stores.ts';

/** How a Workflow ended. */
export interface EndedWorkflow {
  /** Of the root. */
  readonly state: string;
  /** The result's own text, as any Celery client reads it; of a run that failed: the exception's. */
  readonly result: string;
  /** The task id under which it stands. */
  readonly resultId: string;
  /** By path, `spec.chain[0]`. */
  readonly states: ReadonlyMap<string, string>;
  readonly failures: readonly StepFailure[];
  readonly plan: Plan;
}

export interface RunningWorkflow {
  readonly driver: RunDriver;
  /** When handlers and `finally` have ended too, and the outcome stands in the result store. */
  readonly ended: Promise<EndedWorkflow>;
}

/** Workflows over unmodified workers, without Kubernetes: the product's engine on a real Redis and one queue. */
export class CeleryWorkflows {
  readonly redis: Redis;
  readonly #engine: RunEngine;
  readonly #queue: string;

  private constructor(redis: Redis, engine: RunEngine, queue: string) {
    this.redis = redis;
    this.#engine = engine;
    this.#queue = queue;
  }

  /** `queue` is the name on the wire. */
  static async open(redisUrl: string, queue: string): Promise<CeleryWorkflows> {
    const redis = redisClient(redisUrl, dbOf(redisUrl));
    const openSubscriber = (): Redis => redisClient(redisUrl, dbOf(redisUrl));
    const broker = new RedisBroker({ client: redis, prefix: '' });
    const engine = new RunEngine({
      store: new RedisRunStore({ client: redis, prefix: '' }),
      results: new RedisResultStore({ client: redis, openSubscriber, prefix: '' }),
      broker: {
        present: (queue, ids) => broker.find(queue, ids),
        withdraw: async (queue, ids) => {
          await broker.withdraw(queue, ids);
        },
        publish: (entries) => broker.push(entries),
      },
      clock,
      log: { info: () => undefined, warn: (fields, message) => console.warn(message, fields) },
      newTag: randomUUID,
      isLeading: () => true,
    });
    await engine.open();
    return new CeleryWorkflows(redis, engine, queue);
  }

  async run(spec: object): Promise<EndedWorkflow> {
    const { ended } = await this.start(spec);
    return ended;
  }

  async start(spec: object): Promise<RunningWorkflow> {
    const parsed = parseWorkflowSpec(spec);
    if (!parsed.ok) throw new Error(parsed.error.map(({ path, message }) => `${path}: ${message}`).join('; '));
    const plan = planOf(normalise(parsed.value));
    let look = (): void => undefined;
    const driver = await this.#engine.begin({
      uid: randomUUID(),
      plan,
      digest: '',
      router: () => ({
        queue: this.#queue,
        carriesErrbacks: true,
        isWatched: false,
        place: { db: this.redis.options.db ?? 0 },
        list: this.#queue,
        bell: `arp:bell:${this.#queue}`,
      }),
      onChange: () => look(),
    });
    if (driver === undefined) throw new Error('the run is not in its Redis');
    const concluded = new Promise<void>((resolve, reject) => {
      look = () => {
        if (driver.stopped !== undefined) reject(new Error(`the run stopped: ${driver.stopped.message}`));
        if (driver.isConcluded) resolve();
      };
    });
    driver.release();
    return { driver, ended: concluded.then(() => this.#ended(driver)) };
  }

  close(): void {
    this.#engine.close();
    this.redis.disconnect();
  }

  async #ended(driver: RunDriver): Promise<EndedWorkflow> {
    const { run } = driver;
    const { plan, evaluation } = run.view;
    const resultId = rootIdOf(run.identity);
    const meta = await this.redis.get(`celery-task-meta-${resultId}`);
    const stored = decodeResultMeta(meta ?? '');
    if (!stored.ok) throw new Error(`there is no result under ${resultId}`);
    await this.#engine.end(driver);
    return {
      state: evaluation.states[0] ?? '',
      result: stored.value.resultText,
      resultId,
      states: new Map(plan.steps.map(({ path, index }) => [path, evaluation.states[index] ?? ''])),
      failures: summarise(run.identity, run.view).failures,
      plan,
    };
  }
}

/** What tasks noted under a key of `test:`, oldest first; numbers keep their text. */
export async function notesOf(redis: Redis, key: string): Promise<readonly unknown[]> {
  return (await redis.lrange(`test:${key}`, 0, -1)).map(parseJson);
}

function dbOf(redisUrl: string): number {
  return Number(/\/(\d+)$/.exec(redisUrl)?.[1] ?? 0);
}

const clock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (call) => setImmediate(call),
};
