import type { WorkerPool } from '#core/resources/worker-pool.ts';
import { keyOf } from '#io/kube/object.ts';
import { connectionKeyOf, type ConnectionRef } from '../connections/connection-state.ts';
import type { Reflectors } from '../observed/reflectors.ts';
import { resolvePoolQueues } from '../observed/pool-queues.ts';
import type { DepthReading } from './depth-reading.ts';

/** Asked for every message; what it is made from changes with pods and readings, not so fast. */
const rememberedForMs = 200;

export interface LiveSlotsOptions {
  readonly reflectors: Pick<Reflectors, 'workerPools' | 'taskQueues' | 'deployments' | 'pods'>;
  readonly readingOf: (ref: ConnectionRef) => DepthReading | undefined;
  /** Milliseconds of any clock that only goes forward. */
  readonly nowMs: () => number;
}

/**
 * Places for running tasks at live workers, by queue. A worker of ours says how many it has; of Celery's, and of one that
 * has just become ready, the pool's `concurrency` tells.
 */
export class LiveSlots {
  readonly #options: LiveSlotsOptions;
  readonly #known = new Map<string, { readonly atMs: number; readonly slots: ReadonlyMap<string, number> }>();

  constructor(options: LiveSlotsOptions) {
    this.#options = options;
  }

  /** Of a queue of this connection, by its name on the wire; undefined where no pool serves it, or none that has workers. */
  of(ref: ConnectionRef, queueName: string): number | undefined {
    const key = connectionKeyOf(ref);
    const nowMs = this.#options.nowMs();
    let known = this.#known.get(key);
    if (known === undefined || nowMs - known.atMs >= rememberedForMs) {
      known = { atMs: nowMs, slots: this.#count(ref) };
      this.#known.set(key, known);
    }
    return known.slots.get(queueName);
  }

  #count(ref: ConnectionRef): ReadonlyMap<string, number> {
    const { reflectors, readingOf } = this.#options;
    const leases = new Map(readingOf(ref)?.leases.map(({ podUid, slots }) => [podUid, slots]));
    const slots = new Map<string, number>();
    for (const pool of reflectors.workerPools.group(ref.namespace)) {
      const count = this.#slotsOf(pool, leases);
      const served = resolvePoolQueues(pool, (name) => reflectors.taskQueues.get(`${ref.namespace}/${name}`));
      if (count === 0 || !served.ok || served.value.ref.name !== ref.name) continue;
      for (const name of served.value.queueNames) slots.set(name, (slots.get(name) ?? 0) + count);
    }
    return slots;
  }

  #slotsOf(pool: WorkerPool, leases: ReadonlyMap<string, number>): number {
    const { deployments, pods } = this.#options.reflectors;
    const key = keyOf(pool);
    const told = pods.group(key).reduce((sum, { metadata }) => sum + (leases.get(metadata.uid ?? '') ?? 0), 0);
    const ready = deployments.get(key)?.status?.readyReplicas ?? 0;
    return Math.max(told, ready * pool.spec.concurrency);
  }
}
