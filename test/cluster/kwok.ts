import { join } from 'node:path';
import type { ControlPlane } from './control-plane.ts';
import { REPOSITORY } from './folders.ts';
import { until } from './kube-api.ts';
import { tailOf, type Launcher } from './processes.ts';

/** The label by which a pod asks for the kind of accelerator it wants; what NVIDIA's feature discovery sets. */
export const GPU_PRODUCT_LABEL = 'nvidia.com/gpu.product';

export type FakeNode = { readonly name: string; readonly gpus?: number; readonly gpuProduct?: string };

/** Two nodes without and two with GPUs, of different products. */
export const FAKE_NODES: readonly FakeNode[] = [
  { name: 'cpu-1' },
  { name: 'cpu-2' },
  { name: 'gpu-1', gpus: 2, gpuProduct: 'NVIDIA-A100-SXM4-40GB' },
  { name: 'gpu-2', gpus: 1, gpuProduct: 'NVIDIA-L4' },
];

/** Starts kwok and resolves when each of these nodes is Ready. Their pods live by the rules of `kwok-stages.yaml`. */
export async function startFakeNodes(
  controlPlane: ControlPlane,
  launcher: Launcher,
  binary: string,
  nodes: readonly FakeNode[],
): Promise<void> {
  const { api } = controlPlane;
  launcher.launch({
    name: 'kwok',
    command: binary,
    args: [
      'kwok',
      ...['--kubeconfig', controlPlane.adminKubeconfig, '--config', join(REPOSITORY, 'test/cluster/kwok-stages.yaml')],
      ...[
        '--manage-all-nodes=true',
        '--node-lease-duration-seconds',
        '40',
        '--cidr',
        '10.0.0.0/16',
        '--node-ip',
        '10.0.0.1',
      ],
    ],
    env: { HOME: launcher.folder },
  });
  for (const node of nodes) await createNode(controlPlane, node);
  await until('the nodes are Ready', 240_000, async () => {
    const list = (await api.expect('GET', '/api/v1/nodes')) as NodeList;
    return list.items.length >= nodes.length && list.items.every(isReady);
  }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}; kwok says:\n${tailOf(launcher.folder, 'kwok')}`);
  });
}

type NodeList = { items: { status: { conditions?: { type: string; status: string }[] } }[] };

function isReady(node: NodeList['items'][number]): boolean {
  return node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

async function createNode(controlPlane: ControlPlane, { name, gpus, gpuProduct }: FakeNode): Promise<void> {
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    ...(gpuProduct === undefined ? {} : { [GPU_PRODUCT_LABEL]: gpuProduct }),
  };
  const capacity = {
    cpu: '32',
    memory: '256Gi',
    pods: '1000',
    ...(gpus === undefined ? {} : { 'nvidia.com/gpu': String(gpus) }),
  };
  await controlPlane.api.expect('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
  });
  await controlPlane.api.call(
    'PATCH',
    `/api/v1/nodes/${name}/status`,
    { status: { capacity, allocatable: capacity } },
    'application/merge-patch+json',
  );
}
