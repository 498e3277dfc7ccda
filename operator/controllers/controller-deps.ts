import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import type { KubeClient } from '#io/kube/client.ts';
import type { EventRecorder } from '#io/kube/event-recorder.ts';
import type { Config } from '../config.ts';
import type { ConnectionRegistry } from '../connections/connection-registry.ts';
import type { DepthPoller } from '../depths/depth-poller.ts';
import type { StalledQueues } from '../depths/stalled-queues.ts';
import type { HomeRegistry } from '../homes/home-registry.ts';
import type { Controller, RunningController } from '../control/controller.ts';
import type { Reflectors } from '../observed/reflectors.ts';

/** What every controller works with. They are made anew for each term as leader, so nothing of an earlier one lingers. */
export interface ControllerDeps {
  readonly client: KubeClient;
  readonly reflectors: Reflectors;
  readonly connections: ConnectionRegistry;
  readonly depths: DepthPoller;
  /** The queues from which nobody takes what waits there. */
  readonly stalled: StalledQueues;
  /** Where the runs of each connection are driven. */
  readonly homes: HomeRegistry;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly config: Config;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Default: those of the process. */
  readonly timers?: Timers;
  /** Aborts when the term as leader is over: from then on nothing may be written. */
  readonly term: AbortSignal;
}

/** A controller with what wakes it. */
export interface ControllerSetup {
  readonly controller: Controller;
  /** Objects looked at at once. */
  readonly concurrency: number;
  /** Subscribes to everything after which an object wants a look. Called once, before the first pass. */
  wire(running: RunningController): void;
  /** Undoes `wire` and ends what the controller keeps running beside its passes. */
  close(): Promise<void>;
}
