import { fail, ok, type Result } from '#core/base/result.ts';
import type { TaskQueue } from '#core/resources/task-queue.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { PoolProblem } from '../conditions/pool-ready.ts';
import type { ConnectionRef } from '../connections/connection-state.ts';
import { wireNameOf } from './routed-queue.ts';

/** What a pool serves: one connection, and names on its wire. */
export interface PoolQueues {
  readonly ref: ConnectionRef;
  readonly queueNames: readonly string[];
}

/** Finds the TaskQueues that a pool names, by what `findQueue` knows of its namespace. */
export function resolvePoolQueues(
  pool: WorkerPool,
  findQueue: (name: string) => TaskQueue | undefined,
): Result<PoolQueues, PoolProblem> {
  const found = pool.spec.queues.map((name) => ({ name, queue: findQueue(name) }));
  const missing = found.filter(({ queue }) => queue === undefined).map(({ name }) => name);
  if (missing.length > 0) {
    const message = `there is no TaskQueue ${missing.join(', ')} in this namespace: create it, or take it from spec.queues`;
    return fail({ reason: 'QueueNotFound', message });
  }
  const queues = found.flatMap(({ queue }) => queue ?? []);
  const connections = [...new Set(queues.map(({ spec }) => spec.connection))];
  const [name = '', ...others] = connections;
  if (others.length > 0) {
    const message = `the queues use the connections ${connections.join(', ')}, and a pool can serve one only: make a pool for each`;
    return fail({ reason: 'QueuesWithDifferentConnections', message });
  }
  return ok({ ref: { namespace: pool.metadata.namespace, name }, queueNames: queues.map(wireNameOf) });
}
