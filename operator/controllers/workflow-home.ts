import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { OpenConnection } from '../connections/connection-state.ts';
import type { Router } from '../runs/route.ts';
import type { RunEngine } from '../runs/run-engine.ts';
import type { ControllerDeps } from './controller-deps.ts';
import type { PlannedWorkflow } from './workflow-plan.ts';
import { runRouter, type NamespaceRoutes } from './workflow-router.ts';

/** A Workflow that waits for something else is looked at again after this long, if nothing wakes it before. */
const waitMs = 5_000;
/** The same while a connection or an engine is being opened. */
const openingMs = 1_000;

/** Where a Workflow's run is, or why it cannot begin yet. */
export type FoundHome =
  | { readonly engine: RunEngine; readonly connection: OpenConnection }
  | { readonly reason: WorkflowReason; readonly message: string; readonly againMs: number };

export interface HomeDeps extends Pick<ControllerDeps, 'connections' | 'homes'> {
  readonly routesOf: (namespace: string) => NamespaceRoutes;
}

/** The home that status names, which never moves; for a run that has not begun, that of its first task's queue. */
export function homeOf(workflow: Workflow, planned: PlannedWorkflow, deps: HomeDeps): FoundHome {
  const { namespace } = workflow.metadata;
  const name = workflow.status?.home?.connection ?? firstConnection(namespace, planned, deps);
  if (typeof name !== 'string') return { ...name, againMs: waitMs };
  const state = deps.connections.get({ namespace, name });
  if (state.state === 'Failed') {
    const message = `connection ${name}: ${state.failure.message}`;
    return { reason: 'ConnectionNotReady', message, againMs: waitMs };
  }
  if (state.state === 'Opening') {
    return { reason: 'Pending', message: `connection ${name} is being opened`, againMs: openingMs };
  }
  const home = deps.homes.get(state.connection);
  if ('waiting' in home) return { reason: 'Pending', message: home.waiting, againMs: openingMs };
  return { engine: home.engine, connection: state.connection };
}

function firstConnection(
  namespace: string,
  { firstTask, spec: { defaultQueue } }: PlannedWorkflow,
  { routesOf }: HomeDeps,
): string | { readonly reason: WorkflowReason; readonly message: string } {
  const { task = '', queue, path = 'spec' } = firstTask ?? {};
  const found = routesOf(namespace).find({ task, queue, defaultQueue });
  if ('queue' in found) return found.queue.connection;
  return { reason: found.reason, message: `${path}: ${found.message}` };
}

/** The routes of a Workflow's tasks from its home, by what is known of queues when they are asked. */
export function routerFor(
  { metadata: { namespace } }: Workflow,
  { spec: { defaultQueue } }: PlannedWorkflow,
  home: OpenConnection,
  { routesOf, connections }: HomeDeps,
): Router {
  return runRouter({
    routes: () => routesOf(namespace),
    defaultQueue,
    home,
    connectionNamed: (name) => {
      const state = connections.get({ namespace, name });
      return state.state === 'Ready' ? state.connection : undefined;
    },
  });
}
