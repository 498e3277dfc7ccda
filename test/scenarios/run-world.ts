import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import { fail } from '#core/base/result.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import type { Census } from '#io/brokers/census.ts';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { MemoryRunStore } from '#io/runs/memory/memory-run-store.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { RunEngine } from '#operator/runs/run-engine.ts';
import type { Router } from '#operator/runs/route.ts';
import type { RunSettings } from '#operator/runs/run-settings.ts';
import type { RunPorts } from '#operator/runs/run-ports.ts';
import { HandClock, settle } from '../support/hand-clock.ts';

export interface Taken {
  readonly id: string;
  readonly task: string;
  readonly args: unknown[];
  readonly raw: string;
}

const usualUid = 'aaaaaaaa-bbbb-4000-8000-000000000000';

/** Engines over one store in memory, one queue, and workers that do as the test says. */
export class RunWorld {
  readonly clock = new HandClock();
  readonly results = new MemoryResultStore();
  readonly store: MemoryRunStore;
  readonly waiting: string[] = [];
  /** In workers' hands: neither waiting nor answered. */
  readonly taken = new Set<string>();
  readonly calls: string[] = [];
  /** The same with their arguments. */
  readonly called: (readonly [task: string, args: unknown[]])[] = [];
  router: Router = () => ({
    queue: 'q',
    carriesErrbacks: false,
    isWatched: true,
    isAsked: false,
    place: { db: 0 },
    list: () => 'q',
    bell: 'bell',
  });
  leading = true;
  /** Places at live workers. */
  slots: number | undefined = 1_000;
  readonly revoked = new Set<string>();
  /** What its workers answer, where they are asked. */
  census: (ids: ReadonlySet<string>) => Census = () => ({ holders: new Map(), workers: fail('nobody answers') });
  /** A worker says that it leaves. */
  leaves: (nodename: string) => void = () => undefined;
  settings: RunSettings = {
    suspended: false,
    cancel: false,
    retryFailed: 0,
    run: { name: 'w', namespace: 'n', uid: usualUid },
  };
  onChange: () => void = () => undefined;
  #tags = 0;

  constructor() {
    this.store = new MemoryRunStore({
      push: (_list, message) => this.waiting.push(message),
      nowMs: () => this.clock.nowMs(),
    });
  }

  async engine(changed: Partial<RunPorts> = {}): Promise<RunEngine> {
    const engine = new RunEngine({ ...this.ports(), ...changed });
    await engine.open();
    return engine;
  }

  ports(): RunPorts {
    return {
      store: this.store,
      results: this.results,
      clock: this.clock,
      log: { info: () => undefined, warn: () => undefined },
      newTag: () => `tag-${(this.#tags += 1)}`,
      isLeading: () => this.leading,
      slotsOf: () => this.slots,
      payloadLimits: defaultPayloadLimits,
      broker: {
        present: (_queue, ids) =>
          Promise.resolve(new Set([...ids].filter((id) => this.taken.has(id) || this.#waitingIds().includes(id)))),
        withdraw: (_queue, ids) => {
          const left = this.waiting.filter((raw) => !ids.has(idOf(raw)));
          const removed = this.#waitingIds().filter((id) => ids.has(id));
          this.waiting.splice(0, this.waiting.length, ...left);
          return Promise.resolve(new Set(removed));
        },
        revoke: (ids) => {
          for (const id of ids) this.revoked.add(id);
          return Promise.resolve();
        },
        ask: (ids) => Promise.resolve(this.census(ids)),
        hearLeaving: ({ left, missed }) => {
          this.leaves = left;
          missed();
          return () => (this.leaves = () => undefined);
        },
        publish: (entries) => {
          this.waiting.push(...entries.map(({ message }) => message));
          return Promise.resolve();
        },
      },
    };
  }

  async begin(engine: RunEngine, spec: object, uid = usualUid): Promise<RunDriver> {
    const driver = await this.beginUnreleased(engine, spec, uid);
    driver.release();
    await settle();
    return driver;
  }

  async beginUnreleased(engine: RunEngine, spec: object, uid = usualUid): Promise<RunDriver> {
    const parsed = parseWorkflowSpec(spec);
    if (!parsed.ok) throw new Error(parsed.error.map(({ path, message }) => `${path}: ${message}`).join('; '));
    const order = {
      uid,
      plan: planOf(normalise(parsed.value)),
      digest: JSON.stringify(spec),
      settings: this.settings,
      onChange: () => this.onChange(),
    };
    const driver = await engine.begin({ ...order, router: (task, queue) => this.router(task, queue) });
    if (driver === undefined) throw new Error('the run is not there');
    await settle();
    return driver;
  }

  /** A worker takes the oldest message. */
  take(): Taken {
    const raw = this.waiting.shift();
    if (raw === undefined) throw new Error('nothing waits');
    const message = decodeTaskMessage(raw);
    if (!message.ok) throw new Error(message.error.message);
    const { id, task, argsText } = message.value;
    this.taken.add(id);
    this.calls.push(task);
    const args = JSON.parse(argsText) as unknown[];
    this.called.push([task, args]);
    return { id, task, args, raw };
  }

  async succeed({ id }: Taken, result: unknown): Promise<void> {
    await this.#answer(id, 'SUCCESS', JSON.stringify(result) as JsonText);
  }

  async fail({ id }: Taken, type = 'ValueError'): Promise<void> {
    await this.#answer(
      id,
      'FAILURE',
      JSON.stringify({ exc_type: type, exc_message: ['no'], exc_module: 'builtins' }) as JsonText,
    );
  }

  async revoke({ id }: Taken, why = 'terminated'): Promise<void> {
    const error = { exc_type: 'TaskRevokedError', exc_message: [why], exc_module: 'celery.exceptions' };
    await this.#answer(id, 'REVOKED', JSON.stringify(error) as JsonText);
  }

  /** Works through everything that waits, by the tasks' names: `boom` fails, others give the sum of their numbers. */
  async workAll(most = 1_000): Promise<void> {
    for (let i = 0; i < most && this.waiting.length > 0; i += 1) {
      const taken = this.take();
      if (taken.task === 'boom') await this.fail(taken);
      else await this.succeed(taken, sum(taken.args));
    }
    if (this.waiting.length > 0) throw new Error(`still working after ${most} tasks`);
  }

  async #answer(id: string, status: string, resultText: JsonText): Promise<void> {
    this.taken.delete(id);
    await this.results.store([{ id, text: encodeResultMeta({ id, status, resultText, dateDone: null }) }]);
    await settle();
  }

  #waitingIds(): readonly string[] {
    return this.waiting.map(idOf);
  }
}

function idOf(raw: string): string {
  const message = decodeTaskMessage(raw);
  return message.ok ? message.value.id : '';
}

function sum(args: readonly unknown[]): number {
  return args.flat(9).reduce((total: number, each) => total + (typeof each === 'number' ? each : 0), 0);
}
