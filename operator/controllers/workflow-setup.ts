import type { Workflow } from '#core/resources/workflow.ts';
import { keyOf, nameOf, type KubeObject } from '#io/kube/object.ts';
import type { Change } from '#io/kube/object-store.ts';
import type { RunningController } from '../control/controller.ts';
import type { ControllerDeps, ControllerSetup } from './controller-deps.ts';
import { unservedTaskQueues } from '../observed/unserved-queues.ts';
import { ForgottenRuns } from './forgotten-runs.ts';
import { WorkflowController } from './workflow.ts';
import { NamespaceRoutes } from './workflow-router.ts';
import { isLive } from './workflow-settings.ts';
import { WorkflowStatusWriter } from './workflow-status-writer.ts';

/** Workflows looked at at once: each pass is a few calls, and the API server is asked by all of them. */
const concurrency = 32;

/** The Workflow controller with the engines of all connections, and what wakes it. */
export function createWorkflowController(deps: ControllerDeps): ControllerSetup {
  const { reflectors, connections, homes } = deps;
  const routes = new Map<string, NamespaceRoutes>();
  let running: RunningController | undefined;
  const enqueueLive = (namespace: string): void => {
    for (const workflow of liveIn(namespace, deps)) running?.enqueue(keyOf(workflow));
  };
  const forgotten = new ForgottenRuns(deps);
  homes.onOpen(({ ref }, engine) => {
    enqueueLive(ref.namespace);
    forgotten.watch(ref, engine);
  });
  const controller = new WorkflowController({
    ...deps,
    writer: new WorkflowStatusWriter(deps),
    routesOf: (namespace) => remembered(routes, namespace, () => routesIn(namespace, deps)),
    enqueue: (key) => running?.enqueue(key),
  });
  const subscriptions: (() => void)[] = [];
  return {
    controller,
    concurrency,
    wire: (controllerLoop) => {
      running = controllerLoop;
      subscriptions.push(
        ...onSpecChange(deps, (namespace) => {
          routes.delete(namespace);
          homes.reroute();
          enqueueLive(namespace);
        }),
        connections.subscribe(({ namespace }) => {
          const ready = connections.listReady();
          homes.keepOnly(ready);
          // Also where no Workflow is: a run may be left there whose Workflow was deleted while nobody looked.
          for (const connection of ready) homes.get(connection);
          enqueueLive(namespace);
        }),
        onUnserved(deps, enqueueLive),
        reflectors.workflows.subscribe(({ key, object }) => {
          controllerLoop.enqueue(key);
          if (object === undefined) forgotten.lookAgain(nameOf(key).namespace);
        }),
      );
    },
    close: () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      return Promise.resolve();
    },
  };
}

/** Of a queue that a pool serves no Workflow says anything, however long its messages wait. */
function onUnserved({ stalled, reflectors }: ControllerDeps, changed: (namespace: string) => void): () => void {
  return stalled.subscribe((queue) => {
    if (unservedTaskQueues(reflectors, queue).length > 0) changed(queue.ref.namespace);
  });
}

/** Routes follow from specs alone; statuses, which change by the second, are nothing to them. */
function onSpecChange({ reflectors }: ControllerDeps, changed: (namespace: string) => void): readonly (() => void)[] {
  const listener = ({ key, object, previous }: Change<KubeObject>): void => {
    if (object?.metadata.generation !== previous?.metadata.generation) changed(nameOf(key).namespace);
  };
  return [reflectors.taskQueues.subscribe(listener), reflectors.workerPools.subscribe(listener)];
}

function remembered<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function routesIn(namespace: string, { reflectors }: ControllerDeps): NamespaceRoutes {
  return new NamespaceRoutes(reflectors.taskQueues.group(namespace), reflectors.workerPools.group(namespace));
}

function liveIn(namespace: string, { reflectors }: ControllerDeps): readonly Workflow[] {
  return reflectors.workflows.list().filter((each) => each.metadata.namespace === namespace && isLive(each));
}
