import { controlPlaneBinary } from './binary.ts';
import { makeCgroup } from './cgroups.ts';
import { importImage, startContainerd } from './containerd.ts';
import { startControlPlane, untilControllersWork, type ControlPlane } from './control-plane.ts';
import { DNS_CERTIFICATE, startDns } from './dns.ts';
import { rememberMachine } from './machine.ts';
import { holdsOverlay } from './mounts.ts';
import { makeNetwork } from './network.ts';
import { KUBE_PROXY_CERTIFICATE, nodeCertificate, startKubelet, startKubeProxy, untilNodesReady } from './node.ts';
import { installForFullLevel } from './packages.ts';
import { pauseArchive } from './pause-image.ts';
import { detachedLauncher, type Launcher } from './processes.ts';
import { withProgress } from './progress.ts';
import { claimSlot, type NodeName, type Slot } from './slot.ts';
import { endFullLevel } from './teardown.ts';
import { makeVolumes } from './volumes.ts';

export const NODES: readonly NodeName[] = ['cpu', 'gpu'];

/** A socket's path has at most 107 characters, and the kubelet makes some below this folder. */
const LONGEST_FOLDER = 55;

/** Brings up two real nodes in `folder`; what an earlier attempt left there goes first. Resolves when both are Ready. */
export async function startFullLevel(folder: string): Promise<ControlPlane> {
  assertMayRun(folder);
  await installForFullLevel();
  const [binary, pause] = [await controlPlaneBinary(), await pauseArchive()];
  await endFullLevel(folder);
  rememberMachine();
  const slot = await claimSlot(folder);
  return withProgress('starting the control plane and two nodes', () => start(folder, slot, binary, pause));
}

async function start(folder: string, slot: Slot, binary: string, pause: string): Promise<ControlPlane> {
  const launcher = detachedLauncher(folder);
  await makeNetwork(slot);
  for (const node of NODES) makeCgroup(`${slot.cgroup}/${node}`);
  const snapshotter = (await holdsOverlay(folder)) ? 'overlayfs' : 'native';
  const [controlPlane] = await Promise.all([
    startControlPlane({
      binary,
      launcher,
      address: slot.apiAddress,
      network: slot.network,
      // Nobody else listens in the cluster's own network.
      ports: { api: 6443, etcd: 2379, etcdPeer: 2380 },
      services: { range: slot.serviceRange, first: slot.firstService },
      certificates: [...NODES.map((node) => nodeCertificate(slot, node)), KUBE_PROXY_CERTIFICATE, DNS_CERTIFICATE],
      nodeLoss: { graceSeconds: 60, tolerationSeconds: 10 },
    }),
    ...NODES.map(async (node) => {
      await startContainerd(launcher, slot, node, snapshotter);
      await importImage(slot, node, pause);
    }),
  ]);
  await joinNodes(launcher, binary, slot, controlPlane);
  return controlPlane;
}

async function joinNodes(launcher: Launcher, binary: string, slot: Slot, controlPlane: ControlPlane): Promise<void> {
  for (const node of NODES) await startKubelet({ launcher, binary, slot, controlPlane }, node);
  await startKubeProxy({ launcher, binary, slot, controlPlane });
  await startDns({ launcher, binary, slot, controlPlane });
  await makeVolumes(controlPlane);
  await Promise.all([untilNodesReady(controlPlane, NODES), untilControllersWork(controlPlane.api)]);
}

function assertMayRun(folder: string): void {
  const instead = 'or set ARPEGGIO_CLUSTER=existing to use the cluster of your current kubeconfig (docs/clusters.md)';
  if (process.platform !== 'linux')
    throw new Error(
      `a cluster of real nodes needs Linux and this is ${process.platform}; use a Linux machine ${instead}`,
    );
  if (process.getuid?.() !== 0)
    throw new Error(
      `a cluster of real nodes needs root: run with sudo, use '--level api' for one without pods, ${instead}`,
    );
  if (folder.length > LONGEST_FOLDER) {
    throw new Error(
      `${folder} is longer than ${LONGEST_FOLDER} characters, too long for sockets below it; set ARPEGGIO_CLUSTER_DIR to a shorter path`,
    );
  }
}
