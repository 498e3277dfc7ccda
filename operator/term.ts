import { ConnectionRegistry } from './connections/connection-registry.ts';
import { runController } from './control/controller.ts';
import type { ControllerDeps, ControllerSetup } from './controllers/controller-deps.ts';
import { queuesOf } from './observed/routed-queue.ts';
import { openTermParts } from './term-parts.ts';

/**
 * One term as leader: opens connections when they are asked for, runs the controllers until the term is over, and leaves
 * nothing running behind.
 */
export async function runTerm(
  shared: Omit<ControllerDeps, 'connections' | 'depths' | 'stalled' | 'homes'>,
  setups: readonly ((deps: ControllerDeps) => ControllerSetup)[],
): Promise<void> {
  const { client, config, log, reflectors, term } = shared;
  const connections = new ConnectionRegistry(
    { client, allowedHosts: config.allowedHosts, mayShare: mayShareIn(config.sharedConnections), log },
    (ref) => queuesOf(reflectors, ref).length > 0,
  );
  const { payloadLimits } = config;
  const parts = openTermParts({ connections, reflectors, log, payloadLimits, isLeading: () => !term.aborted });
  const controllers = setups.map((make) => {
    const setup = make({ ...shared, ...parts, connections });
    const running = runController(setup.controller, { concurrency: setup.concurrency, log, signal: term });
    setup.wire(running);
    return { setup, running };
  });
  if (!term.aborted) await new Promise((resolve) => term.addEventListener('abort', resolve, { once: true }));
  await Promise.all(controllers.map(({ running }) => running.close()));
  await Promise.all(controllers.map(({ setup }) => setup.close()));
  parts.close();
  connections.close();
}

/** Whether two namespaces stand in one group. */
function mayShareIn(groups: readonly (readonly string[])[]): (one: string, other: string) => boolean {
  return (one, other) => groups.some((group) => group.includes(one) && group.includes(other));
}
