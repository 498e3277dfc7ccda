import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { MemoryBroker } from '#io/brokers/memory/memory-broker.ts';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { MemoryRunStore } from '#io/runs/memory/memory-run-store.ts';
import { RunEngine } from '#operator/runs/run-engine.ts';
import type { Clock, RunLog } from '#operator/runs/run-ports.ts';
import type { LocalQueues } from './local-queues.ts';

export interface LocalHomeOptions {
  readonly clock: Clock;
  readonly log: RunLog;
  readonly queues: LocalQueues;
  /** Tasks that the worker of this process runs at once. */
  readonly slots: number;
  /** Between two looks at what no hint told. Default: the engine's own. */
  readonly sweepEveryMs?: number;
}

/** What a run stands on, all of it in this process: the operator's own engine over broker, results and runs in memory. */
export interface LocalHome {
  readonly engine: RunEngine;
  readonly broker: MemoryBroker;
  readonly results: MemoryResultStore;
}

export async function openLocalHome(options: LocalHomeOptions): Promise<LocalHome> {
  const { clock, log, queues, slots, sweepEveryMs } = options;
  const broker = new MemoryBroker();
  const results = new MemoryResultStore();
  const push = (list: string, text: string): void => void broker.publish([{ ...queues.ofList(list), text }]);
  let tags = 0;
  const engine = new RunEngine({
    store: new MemoryRunStore({ push, nowMs: () => clock.nowMs() }),
    results,
    broker: {
      present: (queue, ids) => broker.find(queue, ids),
      withdraw: (queue, ids) => broker.withdraw(queue, ids),
      revoke: (ids) => broker.revoke(ids),
      ask: (ids) => broker.ask(ids),
      hearLeaving: () => () => undefined,
      publish: () => Promise.reject(new Error('a queue of this process is reached by its own store')),
    },
    clock,
    log,
    newTag: () => `tag-${(tags += 1)}`,
    slotsOf: () => slots,
    payloadLimits: defaultPayloadLimits,
    isLeading: () => true,
    ...(sweepEveryMs === undefined ? {} : { sweepEveryMs }),
  });
  await engine.open();
  return { engine, broker, results };
}
