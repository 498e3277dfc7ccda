import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { writeKubeconfig, type CertificateRequest } from './certificates.ts';
import { socketOf } from './containerd.ts';
import type { ControlPlane } from './control-plane.ts';
import { until } from './kube-api.ts';
import { GPU_PRODUCT_LABEL } from './kwok.ts';
import { tailOf } from './processes.ts';
import type { ClusterParts } from './cluster-parts.ts';
import type { NodeName, Slot } from './slot.ts';

const GPU_COUNT = 2;
const GPU_PRODUCT = 'NVIDIA-A100-SXM4-40GB';

/** A node's certificate: who it is to the API server, and what its kubelet shows when it is called. */
export function nodeCertificate(slot: Slot, node: NodeName): CertificateRequest {
  return {
    name: `node-${node}`,
    commonName: `system:node:${node}`,
    organizations: ['system:nodes'],
    hosts: [node, slot.nodeAddress[node]],
  };
}

/** Starts this node's kubelet; `untilNodesReady` says when it has joined. */
export async function startKubelet(parts: ClusterParts, node: NodeName): Promise<void> {
  const { launcher, binary, slot, controlPlane } = parts;
  const home = join(launcher.folder, 'nodes', node);
  const root = join(home, 'kubelet');
  await mkdir(root, { recursive: true });
  const kubeconfig = join(home, 'kubelet.kubeconfig');
  await writeKubeconfig(kubeconfig, controlPlane.pki, controlPlane.server, { certificate: `node-${node}` });
  const config = join(home, 'kubelet.yaml');
  await writeFile(config, dump(kubeletConfiguration(home, slot, node, controlPlane.pki)));
  const labels = node === 'gpu' ? [`--node-labels=${GPU_PRODUCT_LABEL}=${GPU_PRODUCT}`] : [];
  launcher.launch({
    name: `kubelet-${node}`,
    command: binary,
    network: slot.network,
    args: [
      'kubelet',
      ...['--config', config, '--kubeconfig', kubeconfig, '--root-dir', root, '--cert-dir', join(home, 'pki')],
      ...['--hostname-override', node, '--node-ip', slot.nodeAddress[node], ...labels],
    ],
  });
}

function kubeletConfiguration(home: string, slot: Slot, node: NodeName, pki: string): object {
  const address = slot.nodeAddress[node];
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    healthzBindAddress: address,
    tlsCertFile: join(pki, `node-${node}.crt`),
    tlsPrivateKeyFile: join(pki, `node-${node}.key`),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    clusterDNS: [slot.dnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf: resolvConf(),
    containerRuntimeEndpoint: `unix://${socketOf(slot, node)}`,
    podLogsDir: join(home, 'pod-logs'),
    volumePluginDir: join(home, 'volume-plugins'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${slot.cgroup}/${node}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    serializeImagePulls: false,
    // The machine's disk is not ours to judge: no image is thrown away, no pod evicted before it is really full.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    nodeStatusUpdateFrequency: '5s',
    nodeLeaseDurationSeconds: 12,
  };
}

/** A resolver on the loopback (systemd's) cannot be asked from another network namespace; it names those it asks. */
function resolvConf(): string {
  const behindStub = '/run/systemd/resolve/resolv.conf';
  return existsSync(behindStub) ? behindStub : '/etc/resolv.conf';
}

type Node = {
  metadata: { name: string };
  status: { conditions?: { type: string; status: string }[]; allocatable?: Record<string, string> };
};

/** Resolves when all these nodes are Ready, and the GPU node has its GPUs. */
export async function untilNodesReady(controlPlane: ControlPlane, names: readonly NodeName[]): Promise<void> {
  const read = async (name: string): Promise<Node> =>
    (await controlPlane.api.expect('GET', `/api/v1/nodes/${name}`)) as Node;
  await Promise.all(
    names.map((name) =>
      until(`node ${name} is Ready`, 300_000, async () => {
        const node = await read(name);
        const isReady =
          node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
        if (name !== 'gpu' || node.status.allocatable?.['nvidia.com/gpu'] === String(GPU_COUNT)) return isReady;
        await advertiseGpus(controlPlane, name);
        return false;
      }).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`${reason}; its kubelet says:\n${tailOf(controlPlane.folder, `kubelet-${name}`)}`);
      }),
    ),
  );
}

/** A resource the kubelet does not know it keeps as it finds it, and offers it to pods. */
async function advertiseGpus(controlPlane: ControlPlane, name: NodeName): Promise<void> {
  const quantity = { 'nvidia.com/gpu': String(GPU_COUNT) };
  const status = { capacity: quantity, allocatable: quantity };
  await controlPlane.api.call(
    'PATCH',
    `/api/v1/nodes/${name}/status`,
    { status },
    'application/strategic-merge-patch+json',
  );
}

/** One kube-proxy serves both nodes, for they share a network namespace. */
export async function startKubeProxy({ launcher, binary, slot, controlPlane }: ClusterParts): Promise<void> {
  const kubeconfig = join(launcher.folder, 'kube-proxy.kubeconfig');
  await writeKubeconfig(kubeconfig, controlPlane.pki, controlPlane.server, { certificate: 'kube-proxy' });
  launcher.launch({
    name: 'kube-proxy',
    command: binary,
    network: slot.network,
    args: [
      'kube-proxy',
      ...[
        '--kubeconfig',
        kubeconfig,
        '--hostname-override',
        'cpu',
        '--proxy-mode',
        'iptables',
        '--cluster-cidr',
        slot.podsRange,
      ],
      ...[
        '--bind-address',
        slot.nodeAddress.cpu,
        '--healthz-bind-address',
        '127.0.0.1:10256',
        '--metrics-bind-address',
        '127.0.0.1:10249',
      ],
      ...[
        '--conntrack-max-per-core',
        '0',
        '--conntrack-tcp-timeout-established',
        '0s',
        '--conntrack-tcp-timeout-close-wait',
        '0s',
      ],
    ],
  });
}

export const KUBE_PROXY_CERTIFICATE: CertificateRequest = { name: 'kube-proxy', commonName: 'system:kube-proxy' };
