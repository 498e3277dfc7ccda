/** The label that leads from a Deployment or Pod to its WorkerPool. */
export const poolLabel = 'arpeggio.dev/pool';

const managedBy = { 'app.kubernetes.io/managed-by': 'arpeggio' } as const;

/** Selects every Deployment and Pod of ours. */
export const workerSelector = `app.kubernetes.io/managed-by=arpeggio,${poolLabel}`;

/** Labels of a pool's Deployment and Pods; those that select them never change. */
export function labelsOfPool(pool: string): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'arpeggio-worker',
    'app.kubernetes.io/instance': pool,
    ...managedBy,
    [poolLabel]: pool,
  };
}
