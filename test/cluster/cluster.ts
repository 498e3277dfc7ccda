import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { clientPrograms, controlPlaneBinary } from './binary.ts';
import { importImage } from './containerd.ts';
import { existingCluster } from './existing.ts';
import { clusterFolder } from './folders.ts';
import { NODES, startFullLevel } from './full-level.ts';
import { buildImages, IMAGE_NAMES, type Image } from './images.ts';
import { openKubeApi } from './kube-api.ts';
import { withLock } from './lock.ts';
import { ourProcesses } from './processes.ts';
import type { Cluster } from './running-cluster.ts';
import { say, withProgress } from './progress.ts';
import { slotOf } from './slot.ts';
import { readState, type ClusterState } from './state.ts';

export type { Cluster } from './running-cluster.ts';

const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** The processes of each level; one of them missing is a cluster that is broken. */
const PARTS: Readonly<Record<ClusterState['level'], readonly string[]>> = {
  api: [...CONTROL_PLANE, 'kwok'],
  full: [
    ...CONTROL_PLANE,
    'kube-proxy',
    'coredns',
    ...NODES.flatMap((node) => [`containerd-${node}`, `kubelet-${node}`]),
  ],
};

/**
 * The cluster for trying out: the one that is up, or a new one; with `ARPEGGIO_CLUSTER=existing` the one of the
 * current kubeconfig context. Calling it again costs nothing while the cluster is whole.
 */
export async function openCluster(folder = clusterFolder()): Promise<Cluster> {
  if (process.env['ARPEGGIO_CLUSTER'] === 'existing') return existingCluster();
  return withLock(`${folder}.lock`, async () => {
    const missing = missingParts(folder, 'full');
    if (missing.length > 0 || !(await answers(folder))) {
      const controlPlane = await startFullLevel(folder);
      controlPlane.api.close();
    }
    return fullCluster(folder);
  });
}

/**
 * Builds what the repository holds now and loads it into every node; what is loaded already is not loaded again. Where
 * images must come from a registry, nothing is built and the archives' paths are empty.
 */
export async function loadImages(cluster: Cluster): Promise<Image[]> {
  if (!cluster.takesImages) {
    say(
      'ARPEGGIO_LOAD_IMAGE is not set: the nodes must have the images or pull them from a registry (docs/clusters.md)',
    );
    return IMAGE_NAMES.map((name) => ({ name, archive: '' }));
  }
  const images = await buildImages();
  await withProgress('loading images into the nodes', async () => {
    for (const image of images) await cluster.loadImage(image);
  });
  return images;
}

/** The names of processes a cluster of this level should have in this folder and has not. */
export function missingParts(folder: string, level: ClusterState['level']): string[] {
  const running = new Set(ourProcesses(folder).map(({ name }) => name));
  return PARTS[level].filter((name) => !running.has(name));
}

async function answers(folder: string): Promise<boolean> {
  const kubeconfig = join(folder, 'kubeconfig');
  if (readState(folder)?.level !== 'full' || !existsSync(kubeconfig)) return false;
  const api = openKubeApi(kubeconfig);
  try {
    return (await api.call('GET', '/readyz')).status === 200;
  } catch {
    return false;
  } finally {
    api.close();
  }
}

async function fullCluster(folder: string): Promise<Cluster> {
  const number = readState(folder)?.slot;
  if (number === undefined) throw new Error(`${folder} holds no full cluster; run 'npm run cluster -- up'`);
  const slot = slotOf(number);
  return {
    kubeconfigPath: join(folder, 'kubeconfig'),
    takesImages: true,
    ...clientPrograms(await controlPlaneBinary(), join(folder, 'bin')),
    loadImage: ({ archive }) =>
      loadOnce(folder, archive, () => Promise.all(NODES.map((node) => importImage(slot, node, archive)))),
  };
}

/** An archive's name changes with its content, and what the nodes hold goes with the folder. */
async function loadOnce(folder: string, archive: string, load: () => Promise<unknown>): Promise<void> {
  const note = join(folder, 'loaded', basename(archive));
  if (existsSync(note)) return;
  await load();
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, '');
}

/** Runs kubectl against this cluster and returns what it prints. */
export function kubectl(cluster: Cluster, args: readonly string[], input?: string): string {
  const context = cluster.context === undefined ? [] : ['--context', cluster.context];
  return execFileSync(cluster.kubectl, ['--kubeconfig', cluster.kubeconfigPath, ...context, ...args], {
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    ...(input === undefined ? {} : { input }),
  });
}
