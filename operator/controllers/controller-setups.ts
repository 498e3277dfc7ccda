import type { ControllerDeps, ControllerSetup } from './controller-deps.ts';

/** Every controller of the operator. */
export const controllerSetups: readonly ((deps: ControllerDeps) => ControllerSetup)[] = [];
