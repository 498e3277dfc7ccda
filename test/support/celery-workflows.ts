import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { queueKey } from '#core/celery/queue-key.ts';
import { decodeResultMeta } from '#core/celery/result-meta.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { slotCount } from '#core/workflow/layout.ts';
import { rootIdOf } from '#core/workflow/message.ts';
import { summarise, type Summary } from '#core/workflow/summary.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { hearFarewells } from '#io/brokers/redis/redis-farewells.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { RedisRunStore } from '#io/runs/redis/redis-run-store.ts';
import { systemClock } from '#io/system-clock.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { RunEngine } from '#operator/runs/run-engine.ts';
import type { RunSettings } from '#operator/runs/run-settings.ts';
import { redisClient } from './run-stores.ts';

/** How a Workflow ended. */
export interface EndedWorkflow {
  /** Of the root. */
  readonly state: string;
  /** The result's own text, as any Celery client reads it; of a run that failed: the exception's. */
  readonly result: string;
  /** The task id under which it stands. */
  readonly resultId: string;
  /** Of each slot: steps as they are numbered, then members of maps. */
  readonly states: readonly string[];
  /** What status would show. */
  readonly summary: Summary;
  readonly plan: Plan;
}

export interface RunningWorkflow {
  readonly driver: RunDriver;
  /** What a person would change in the spec of a Workflow that runs. */
  readonly configure: (settings: Partial<RunSettings>) => void;
  /** When handlers and `finally` have ended too, and the outcome stands in the result store. */
  readonly ended: Promise<EndedWorkflow>;
}

interface CeleryWorkflowsOptions {
  readonly redisUrl: string;
  readonly queue: string;
}

/** Workflows over unmodified workers, without Kubernetes: the product's engine on a real Redis and one queue. */
export class CeleryWorkflows {
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly #engine: RunEngine;
  readonly #queue: string;

  private constructor(redis: Redis, engine: RunEngine, { redisUrl, queue }: CeleryWorkflowsOptions) {
    this.redis = redis;
    this.redisUrl = redisUrl;
    this.#engine = engine;
    this.#queue = queue;
  }

  /** `queue` is the name on the wire. A task that names a queue is sent to the one of that name. */
  static async open(redisUrl: string, queue: string): Promise<CeleryWorkflows> {
    const redis = redisClient(redisUrl, dbOf(redisUrl));
    const openSubscriber = (): Redis => redisClient(redisUrl, dbOf(redisUrl));
    const broker = new RedisBroker({ client: redis, prefix: '', settleMs: 0 });
    const engine = new RunEngine({
      store: new RedisRunStore({ client: redis, prefix: '' }),
      results: new RedisResultStore({ client: redis, openSubscriber, prefix: '' }),
      broker: {
        present: (name, ids) => broker.find(name, ids),
        withdraw: (name, ids) => broker.withdraw(name, ids),
        revoke: (ids) => broker.revoke(ids),
        ask: (ids) => broker.ask(ids),
        hearLeaving: (listener) =>
          hearFarewells({
            openSubscriber,
            db: dbOf(redisUrl),
            prefix: '',
            ...listener,
            refused: (message) => console.warn(message),
          }),
        publish: (entries) => broker.push(entries),
      },
      clock: systemClock,
      log: { info: () => undefined, warn: (fields, message) => console.warn(message, fields) },
      newTag: randomUUID,
      slotsOf: () => 2,
      payloadLimits: defaultPayloadLimits,
      isLeading: () => true,
    });
    await engine.open();
    return new CeleryWorkflows(redis, engine, { redisUrl, queue });
  }

  async run(spec: object): Promise<EndedWorkflow> {
    const { ended } = await this.start(spec);
    return ended;
  }

  /** With the UID of a run that is there it is taken over. */
  async start(spec: object, uid: string = randomUUID()): Promise<RunningWorkflow> {
    const parsed = parseWorkflowSpec(spec);
    if (!parsed.ok) throw new Error(parsed.error.map(({ path, message }) => `${path}: ${message}`).join('; '));
    const plan = planOf(normalise(parsed.value));
    const settings = { suspended: false, cancel: false, retryFailed: 0, run: { name: 'test', namespace: 'test', uid } };
    let look = (): void => undefined;
    const driver = await this.#engine.begin({
      uid,
      plan,
      digest: '',
      settings,
      router: (_task, queue) => this.#route(queue ?? this.#queue),
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
    const configure = (changed: Partial<RunSettings>): void => driver.configure({ ...settings, ...changed });
    return { driver, configure, ended: concluded.then(() => this.#ended(driver)) };
  }

  /** What the tasks of `semantics.py` and `recording.py` noted of their calls, in the order in which they were called. */
  async callsOf<Call>(run: string): Promise<readonly Call[]> {
    const texts = await this.redis.lrange(`test:calls:${run}`, 0, -1);
    return texts.map((text) => JSON.parse(text) as Call);
  }

  close(): void {
    this.#engine.close();
    this.redis.disconnect();
  }

  #route(queue: string) {
    return {
      queue,
      carriesErrbacks: true,
      isWatched: false,
      isAsked: true,
      place: { db: this.redis.options.db ?? 0 },
      list: (priority: number) => queueKey(queue, priority),
      bell: `arp:bell:${queue}`,
    };
  }

  async #ended(driver: RunDriver): Promise<EndedWorkflow> {
    const { run } = driver;
    const { plan, evaluation, state } = run.view;
    const resultId = rootIdOf(run.identity);
    const meta = await this.redis.get(`celery-task-meta-${resultId}`);
    const stored = decodeResultMeta(meta ?? '');
    if (!stored.ok) throw new Error(`there is no result under ${resultId}`);
    await this.#engine.end(driver);
    return {
      state: evaluation.states[0] ?? '',
      result: stored.value.resultText,
      resultId,
      states: Array.from({ length: slotCount(plan, state.maps) }, (_, at) => evaluation.states[at] ?? ''),
      summary: summarise(run.identity, run.view, run.told.bySlot),
      plan,
    };
  }
}

function dbOf(redisUrl: string): number {
  return Number(/\/(\d+)$/.exec(redisUrl)?.[1] ?? 0);
}
