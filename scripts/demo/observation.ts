import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { WorkerPoolStatus } from '#core/resources/worker-pool.ts';
import type { Kubectl } from './kubectl.ts';

type Listed<Status> = {
  readonly items: readonly { readonly metadata: { readonly name: string }; readonly status?: Status }[];
};
type PodList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
    readonly spec: { readonly nodeName?: string };
  }[];
};

/** A worker pod that was seen at least once: pods that came from zero are gone again later. */
export type SeenPod = { readonly pool: string; readonly node: string };

/** What the demo has seen of its namespace so far. */
export type Observation = {
  readonly workflows: ReadonlyMap<string, WorkflowStatus>;
  readonly pods: ReadonlyMap<string, SeenPod>;
};

export const nothingSeen: Observation = { workflows: new Map(), pods: new Map() };

/** Reads workflows and worker pods once and adds them to what was seen before. */
export async function observe(kubectl: Kubectl, namespace: string, before: Observation): Promise<Observation> {
  const [workflows, pods] = await Promise.all([
    kubectl.read<Listed<WorkflowStatus>>(['get', 'workflows', '-n', namespace]),
    kubectl.read<PodList>(['get', 'pods', '-n', namespace, '-l', 'arpeggio.dev/pool']),
  ]);
  const seen = new Map(before.pods);
  for (const { metadata, spec } of pods.items) {
    const pool = metadata.labels?.['arpeggio.dev/pool'];
    if (pool !== undefined && spec.nodeName !== undefined) seen.set(metadata.name, { pool, node: spec.nodeName });
  }
  return {
    workflows: new Map(workflows.items.map(({ metadata, status }) => [metadata.name, status ?? {}])),
    pods: seen,
  };
}

/** Replicas by pool, as the operator last wrote them; undefined where it has not looked yet. */
export async function readReplicas(
  kubectl: Kubectl,
  namespace: string,
): Promise<ReadonlyMap<string, number | undefined>> {
  const { items } = await kubectl.read<Listed<WorkerPoolStatus>>(['get', 'workerpools', '-n', namespace]);
  return new Map(items.map(({ metadata, status }) => [metadata.name, status?.replicas]));
}

/** Has it ended, well or not, with its handlers? */
export function isOver(status: WorkflowStatus | undefined): boolean {
  const succeeded = status?.conditions?.find(({ type }) => type === 'Succeeded');
  return succeeded?.status === 'True' || succeeded?.status === 'False';
}
