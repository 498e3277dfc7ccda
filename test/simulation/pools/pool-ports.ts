import type { ControllerDeps, ControllerSetup } from '#operator/controllers/controller-deps.ts';
import { createTaskQueueController } from '#operator/controllers/task-queue.ts';
import { createWorkerPoolController } from '#operator/controllers/worker-pool-setup.ts';
import type { TermSurroundings } from '#operator/term-parts.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Link } from '../kernel/link.ts';
import type { FakeRedis } from '../servers/fake-redis.ts';

/** The product's controllers of queues and pools. */
export const poolSetups: readonly ((deps: ControllerDeps) => ControllerSetup)[] = [
  createTaskQueueController,
  createWorkerPoolController,
];

/** What an operator needs that scales a pool. */
export interface PoolPorts {
  /** How one operator reads depths and hands back what dead workers held. */
  termPorts(client: Actor, linkTo: (server: FakeRedis) => Link): NonNullable<TermSurroundings['ports']>;
}
