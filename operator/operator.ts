import type { KubeConfig } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import type { Log } from '#core/base/log.ts';
import { KubeClient } from '#io/kube/client.ts';
import { EventRecorder } from '#io/kube/event-recorder.ts';
import { Lease } from '#io/kube/lease.ts';
import { systemClock } from '#io/system-clock.ts';
import type { Config } from './config.ts';
import { leaseTimes, runLeaderGate } from './control/leader-gate.ts';
import { openHealthServer } from './control/health.ts';
import type { ControllerDeps, ControllerSetup } from './controllers/controller-deps.ts';
import { openReflectors } from './observed/reflectors.ts';
import { runTerm } from './term.ts';

export interface OperatorOptions {
  readonly kubeConfig: KubeConfig;
  readonly config: Config;
  readonly log: Log;
  /** What makes the controllers of one term as leader. */
  readonly setups: readonly ((deps: ControllerDeps) => ControllerSetup)[];
}

export interface RunningOperator {
  /** Where `/healthz` and `/readyz` answer. */
  readonly healthPort: number;
  /** Resolves when the copies of the cluster's objects are complete. */
  readonly ready: Promise<unknown>;
  /** Ends the passes that run, gives up the Lease and closes every connection. */
  stop(): Promise<void>;
}

/**
 * One operator process: follows the cluster from the start, so that a standby is as well informed as the leader, and
 * runs controllers whenever it leads.
 */
export async function startOperator({ kubeConfig, config, log, setups }: OperatorOptions): Promise<RunningOperator> {
  const client = new KubeClient(kubeConfig);
  const stopping = new AbortController();
  const { reflectors, synced, running } = openReflectors(client, { config, log, signal: stopping.signal });
  let isReady = false;
  const ready = synced.then(() => (isReady = true));
  const health = await openHealthServer({
    port: config.healthPort,
    isHealthy: () => true,
    isReady: () => isReady,
  });
  const lease = new Lease({
    client,
    name: { namespace: config.namespace, name: config.leaseName },
    identity: `${config.podName}_${randomUUID()}`,
    durationSeconds: leaseTimes.durationSeconds,
  });
  const events = new EventRecorder({ client, instance: config.podName, log });
  const shared = { client, reflectors, events, log, config, nowMs: systemClock.nowMs };
  const leading = ready.then(() =>
    runLeaderGate({ lease, log, lead: (term) => runTerm({ ...shared, term }, setups) }, stopping.signal),
  );
  return {
    healthPort: health.port,
    ready,
    stop: async () => {
      stopping.abort(new Error('the operator is stopping'));
      if (isReady) await leading;
      await running;
      await Promise.all([client.close(), health.close()]);
    },
  };
}
