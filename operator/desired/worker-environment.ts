import type { V1EnvVar } from '@kubernetes/client-node';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { Desired } from './desired.ts';
import { connectionFolder } from './connection-volume.ts';

export interface EnvironmentInputs {
  readonly queueNames: readonly string[];
  readonly drainSeconds: number;
}

/** Names that begin so are ours; a user's variable of such a name would say two things at once. */
const reservedPrefix = 'ARPEGGIO_';

/** The environment of a worker: what it has to know, then what the pool's author adds. */
export function buildEnvironment(
  pool: WorkerPool,
  { queueNames, drainSeconds }: EnvironmentInputs,
): readonly Desired<V1EnvVar>[] {
  const { metadata, spec } = pool;
  const own: Readonly<Record<string, string>> = {
    ARPEGGIO_QUEUES: queueNames.join(','),
    ARPEGGIO_CONCURRENCY: String(spec.concurrency),
    ARPEGGIO_POOL: metadata.name,
    ARPEGGIO_DRAIN_SECONDS: String(drainSeconds),
    ARPEGGIO_CONNECTION_DIR: connectionFolder,
  };
  const fromPod = {
    ARPEGGIO_POD_NAME: 'metadata.name',
    ARPEGGIO_POD_UID: 'metadata.uid',
    ARPEGGIO_POD_NAMESPACE: 'metadata.namespace',
  };
  return [
    ...Object.entries(own).map(([name, value]) => ({ name, value })),
    ...Object.entries(fromPod).map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } })),
    ...(spec.env ?? []).filter(({ name }) => !name.startsWith(reservedPrefix)).map((variable) => ({ ...variable })),
  ];
}
