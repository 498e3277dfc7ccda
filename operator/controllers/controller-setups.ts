import type { ControllerDeps, ControllerSetup } from './controller-deps.ts';
import { createTaskQueueController } from './task-queue.ts';
import { createWorkerPoolController } from './worker-pool-setup.ts';
import { createWorkflowController } from './workflow-setup.ts';

/** Every controller of the operator. */
export const controllerSetups: readonly ((deps: ControllerDeps) => ControllerSetup)[] = [
  createTaskQueueController,
  createWorkerPoolController,
  createWorkflowController,
];
