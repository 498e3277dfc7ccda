import { ConnectionRegistry } from './connections/connection-registry.ts';
import { runController } from './control/controller.ts';
import type { ControllerDeps, ControllerSetup } from './controllers/controller-deps.ts';
import { DepthPoller } from './depths/depth-poller.ts';
import { LiveSlots } from './depths/live-slots.ts';
import { GonePods } from './depths/gone-pods.ts';
import { HomeRegistry } from './homes/home-registry.ts';
import { queuesOf, wireNameOf } from './controllers/routed-queue.ts';

/**
 * One term as leader: opens connections when they are asked for, runs the controllers until the term is over, and leaves
 * nothing running behind.
 */
export async function runTerm(
  shared: Omit<ControllerDeps, 'connections' | 'depths' | 'homes'>,
  setups: readonly ((deps: ControllerDeps) => ControllerSetup)[],
): Promise<void> {
  const { client, config, log, reflectors, term } = shared;
  const connections = new ConnectionRegistry(
    { client, allowedHosts: config.allowedHosts, mayShare: mayShareIn(config.sharedConnections), log },
    (ref) => queuesOf(reflectors, ref).length > 0,
  );
  const liveSlots = new LiveSlots({ reflectors, readingOf: (ref) => depths.get(ref), nowMs: () => performance.now() });
  const homes = new HomeRegistry({
    log,
    isLeading: () => !term.aborted,
    slotsOf: ({ ref }, queue) => liveSlots.of(ref, queue),
    payloadLimits: config.payloadLimits,
  });
  const depths: DepthPoller = new DepthPoller({
    connections,
    queuesOf: (ref) => [...new Set(queuesOf(reflectors, ref).map(wireNameOf))],
    heldOf: (ref) => homes.held(ref),
    podUidsOf: ({ namespace }) => reflectors.pods.group(namespace).flatMap(({ metadata }) => metadata.uid ?? []),
    log,
  });
  depths.subscribe(({ ref, reading }) => {
    const state = connections.get(ref);
    if (state.state === 'Ready' && reading !== undefined) homes.see(state.connection, reading);
  });
  const gonePods = new GonePods({ connections, depths, pods: reflectors.pods, log });
  const controllers = setups.map((make) => {
    const setup = make({ ...shared, connections, depths, homes });
    const running = runController(setup.controller, { concurrency: setup.concurrency, log, signal: term });
    setup.wire(running);
    return { setup, running };
  });
  if (!term.aborted) await new Promise((resolve) => term.addEventListener('abort', resolve, { once: true }));
  await Promise.all(controllers.map(({ running }) => running.close()));
  await Promise.all(controllers.map(({ setup }) => setup.close()));
  homes.close();
  gonePods.close();
  depths.close();
  connections.close();
}

/** Whether two namespaces stand in one group. */
export function mayShareIn(groups: readonly (readonly string[])[]): (one: string, other: string) => boolean {
  return (one, other) => groups.some((group) => group.includes(one) && group.includes(other));
}
