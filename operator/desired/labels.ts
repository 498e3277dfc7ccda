/** The label that leads from a Deployment or Pod to its WorkerPool. */
export const poolLabel = 'arpeggio.dev/pool';

const managedByLabel = 'app.kubernetes.io/managed-by';
const manager = 'arpeggio';

/** Selects every Deployment and Pod of ours. */
export const workerSelector = `${managedByLabel}=${manager},${poolLabel}`;

/** What a pool's Deployment selects its Pods by. It can never change. */
export function selectorOfPool(pool: string): Record<string, string> {
  return { [managedByLabel]: manager, [poolLabel]: pool };
}

/** The same as text, as `/scale` wants it. */
export function selectorTextOfPool(pool: string): string {
  return Object.entries(selectorOfPool(pool))
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}

/** Labels of a pool's Deployment and Pods. */
export function labelsOfPool(pool: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'arpeggio-worker',
    'app.kubernetes.io/instance': pool,
    ...selectorOfPool(pool),
  };
}
