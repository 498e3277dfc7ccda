import type { Log } from '#core/base/log.ts';
import type { PayloadLimits } from '#core/base/payload-limits.ts';
import type { Timers } from '#core/base/timers.ts';
import { processTimers } from '#io/process-timers.ts';
import type { ConnectionRegistry } from './connections/connection-registry.ts';
import type { Reflectors } from './observed/reflectors.ts';
import { queuesOf, wireNameOf } from './observed/routed-queue.ts';
import { DepthPoller, type DepthPollerOptions } from './depths/depth-poller.ts';
import { GonePods, type GonePodsOptions } from './depths/gone-pods.ts';
import { LiveSlots } from './depths/live-slots.ts';
import { StalledQueues } from './depths/stalled-queues.ts';
import { HomeRegistry, type HomeRegistryOptions } from './homes/home-registry.ts';

export interface TermSurroundings {
  readonly connections: ConnectionRegistry;
  readonly reflectors: Reflectors;
  readonly log: Log;
  readonly payloadLimits: PayloadLimits;
  readonly isLeading: () => boolean;
  /** Default: those of the process. */
  readonly timers?: Timers;
  /** How Redis is reached; each has its default. */
  readonly ports?: Pick<HomeRegistryOptions, 'engineOn'> &
    Pick<DepthPollerOptions, 'read' | 'pollEveryMs'> &
    Pick<GonePodsOptions, 'undertakerOf'>;
}

/** What the controllers of one term share beside the connections. */
export interface TermParts {
  readonly homes: HomeRegistry;
  readonly depths: DepthPoller;
  readonly stalled: StalledQueues;
  close(): void;
}

/** Begins to follow the depths of queues, to drive runs on every connection, and to hand back what dead workers held. */
export function openTermParts(surroundings: TermSurroundings): TermParts {
  const { connections, reflectors, log, payloadLimits, isLeading, timers = processTimers, ports = {} } = surroundings;
  const liveSlots = new LiveSlots({ reflectors, readingOf: (ref) => depths.get(ref), nowMs: () => timers.nowMs() });
  const { engineOn, read, pollEveryMs, undertakerOf } = ports;
  const homes = new HomeRegistry({
    ...{ log, isLeading, payloadLimits, timers },
    slotsOf: ({ ref }, queue) => liveSlots.of(ref, queue),
    ...(engineOn === undefined ? {} : { engineOn }),
  });
  const depths: DepthPoller = new DepthPoller({
    ...{ connections, log, timers, read, pollEveryMs },
    queuesOf: (ref) => [...new Set(queuesOf(reflectors, ref).map(wireNameOf))],
    heldOf: (ref) => homes.held(ref),
    podUidsOf: ({ namespace }) => reflectors.pods.group(namespace).flatMap(({ metadata }) => metadata.uid ?? []),
  });
  depths.subscribe(({ ref, reading }) => {
    const state = connections.get(ref);
    if (state.state === 'Ready' && reading !== undefined) homes.see(state.connection, reading);
  });
  const gonePods = new GonePods({ ...{ connections, depths, log, timers, undertakerOf }, pods: reflectors.pods });
  const stalled = new StalledQueues(depths, () => timers.nowMs());
  return {
    homes,
    depths,
    stalled,
    close: () => {
      stalled.close();
      homes.close();
      gonePods.close();
      depths.close();
    },
  };
}
