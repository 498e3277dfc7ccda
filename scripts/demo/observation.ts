import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { WorkerPoolStatus } from '#core/resources/worker-pool.ts';
import type { Kubectl } from './kubectl.ts';

type Listed = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly nodeName?: string };
  readonly status?: object;
};

/** A worker pod that was seen at least once: pods that came from zero are gone again later. */
export type SeenPod = { readonly pool: string; readonly node: string };

/** What was seen of the examples' namespace so far. */
export type Observation = {
  readonly workflows: ReadonlyMap<string, WorkflowStatus>;
  readonly pools: ReadonlyMap<string, WorkerPoolStatus>;
  /** Also those that are gone by now. */
  readonly pods: ReadonlyMap<string, SeenPod>;
  /** Worker pods that exist now. */
  readonly livePods: number;
};

export const nothingSeen: Observation = { workflows: new Map(), pools: new Map(), pods: new Map(), livePods: 0 };

/** Reads workflows, pools and worker pods once and adds them to what was seen before. */
export async function observe(kubectl: Kubectl, namespace: string, before: Observation): Promise<Observation> {
  const list = await kubectl.read<{ items: readonly Listed[] }>(['get', 'workflows,workerpools,pods', '-n', namespace]);
  const statuses = <Status>(kind: string): Map<string, Status> =>
    new Map(
      list.items
        .filter((object) => object.kind === kind)
        .map(({ metadata, status }) => [metadata.name, (status ?? {}) as Status]),
    );
  const workers = list.items.filter(({ kind, metadata }) => kind === 'Pod' && poolOf(metadata) !== undefined);
  const pods = new Map(before.pods);
  for (const { metadata, spec } of workers) {
    const pool = poolOf(metadata);
    if (pool !== undefined && spec.nodeName !== undefined) pods.set(metadata.name, { pool, node: spec.nodeName });
  }
  return {
    workflows: statuses<WorkflowStatus>('Workflow'),
    pools: statuses<WorkerPoolStatus>('WorkerPool'),
    pods,
    livePods: workers.length,
  };
}

function poolOf({ labels }: Listed['metadata']): string | undefined {
  return labels?.['arpeggio.dev/pool'];
}

/** Has it ended, well or not, with its handlers? */
export function isOver(status: WorkflowStatus | undefined): boolean {
  const succeeded = status?.conditions?.find(({ type }) => type === 'Succeeded');
  return succeeded?.status === 'True' || succeeded?.status === 'False';
}

/** Does no pool have a pod, or want one? Before the operator has looked at a pool, nobody knows. */
export function isAllAtZero({ pools, livePods }: Observation): boolean {
  return livePods === 0 && pools.size > 0 && [...pools.values()].every(({ replicas }) => replicas === 0);
}
