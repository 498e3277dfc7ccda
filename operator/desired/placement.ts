import type { V1Affinity, V1ResourceRequirements, V1Toleration } from '@kubernetes/client-node';
import type { WorkerPoolSpec } from '#core/resources/worker-pool.ts';
import type { Desired } from './desired.ts';

/** Resources of the worker's container; a device is a limit, which is its request, too. */
export function buildResources({
  accelerator,
  resources,
}: WorkerPoolSpec): Desired<V1ResourceRequirements> | undefined {
  if (accelerator === undefined && resources === undefined) return undefined;
  const devices = accelerator === undefined ? {} : { [accelerator.resource]: String(accelerator.count) };
  const limits = { ...textOf(resources?.limits), ...devices };
  const requests = textOf(resources?.requests);
  return {
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
  };
}

/** The pool's own, and with an accelerator the taint that its nodes carry by custom. */
export function buildTolerations({ accelerator, tolerations = [] }: WorkerPoolSpec): readonly Desired<V1Toleration>[] {
  const own = tolerations.map((toleration) => ({ ...toleration }));
  if (accelerator === undefined) return own;
  const isBorne = own.some(({ key, operator, value, effect }) => {
    return key === accelerator.resource && operator === 'Exists' && value === undefined && effect === undefined;
  });
  return isBorne ? own : [...own, { key: accelerator.resource, operator: 'Exists' }];
}

/** Only nodes with one of the models asked for. */
export function buildAffinity({ accelerator }: WorkerPoolSpec): Desired<V1Affinity> | undefined {
  if (accelerator?.products === undefined) return undefined;
  const product = { key: `${accelerator.resource}.product`, operator: 'In', values: [...accelerator.products] };
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [product] }] },
    },
  };
}

function textOf(quantities: Readonly<Record<string, string | number>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => [name, String(quantity)]));
}
