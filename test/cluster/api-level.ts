import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../support/free-port.ts';
import { clientPrograms, controlPlaneBinary } from './binary.ts';
import { startControlPlane, untilControllersWork, type ControlPlane } from './control-plane.ts';
import type { KubeApi } from './kube-api.ts';
import { FAKE_NODES, startFakeNodes, type FakeNode } from './kwok.ts';
import { boundLauncher, endProcesses, ourProcesses, type Launcher } from './processes.ts';
import { serviceAccountKubeconfig } from './service-account.ts';

/** A real API server with RBAC, controllers and a scheduler, over nodes and pods that kwok plays. */
export type ApiCluster = {
  readonly folder: string;
  /** As `system:masters`: for what a cluster's administrator does. */
  readonly kubeconfigPath: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly api: KubeApi;
  /** A kubeconfig that speaks as this ServiceAccount, which must exist, with the roles it has. Returns its path. */
  asServiceAccount(namespace: string, name: string): Promise<string>;
  /** Ends every process and removes the folder. Calling it twice is harmless. */
  stop(): Promise<void>;
};

export type ApiClusterOptions = {
  /** Default: a folder of its own below the system's temporary one. */
  readonly directory?: string;
  /** Default: two without and two with GPUs. */
  readonly nodes?: readonly FakeNode[];
};

/** Starts a cluster of one's own on free ports; it dies with the calling process. As many at once as memory allows. */
export async function startApiCluster(options: ApiClusterOptions = {}): Promise<ApiCluster> {
  const folder = options.directory ?? (await mkdtemp(join(await realpath(tmpdir()), 'arpeggio-api-')));
  await mkdir(folder, { recursive: true });
  let controlPlane: ControlPlane | undefined;
  async function stop(): Promise<void> {
    controlPlane?.api.close();
    await endApiLevel(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  try {
    const binary = await controlPlaneBinary();
    const started = await startApiLevel(binary, boundLauncher(folder), options.nodes ?? FAKE_NODES);
    controlPlane = started;
    return {
      folder,
      kubeconfigPath: started.adminKubeconfig,
      ...clientPrograms(binary, join(folder, 'bin')),
      api: started.api,
      asServiceAccount: (namespace, name) => serviceAccountKubeconfig(started, namespace, name),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the api level's processes with this launcher: theirs is the launcher's life. */
export async function startApiLevel(
  binary: string,
  launcher: Launcher,
  nodes: readonly FakeNode[],
): Promise<ControlPlane> {
  const [api = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
  const controlPlane = await startControlPlane({
    binary,
    launcher,
    address: '127.0.0.1',
    ports: { api, etcd, etcdPeer },
    services: { range: '10.96.0.0/16', first: '10.96.0.1' },
  });
  await Promise.all([startFakeNodes(controlPlane, launcher, binary, nodes), untilControllersWork(controlPlane.api)]);
  return controlPlane;
}

/** Ends every process of the cluster in this folder, whoever started it. */
export async function endApiLevel(folder: string): Promise<void> {
  await endProcesses(
    ourProcesses(folder).map(({ pid }) => pid),
    // Nothing here is worth a slow goodbye: the data goes with the folder.
    0,
  );
}
