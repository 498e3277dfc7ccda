import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { missingParts } from './cluster.ts';
import { clusterCommand } from './folders.ts';
import { openKubeApi } from './kube-api.ts';
import { ourProcesses } from './processes.ts';
import { readState } from './state.ts';

type Node = {
  metadata: { name: string; creationTimestamp: string };
  status: { conditions?: { type: string; status: string }[]; allocatable?: Record<string, string> };
};

/** What stands in this folder, for a person: nodes, parts, and what to do next. */
export async function describeCluster(folder: string): Promise<{ text: string; isWhole: boolean }> {
  const level = readState(folder)?.level;
  const running = ourProcesses(folder);
  if (level === undefined && running.length === 0) {
    return {
      text: "no cluster is up. Next: 'npm run cluster -- up', or 'npm run demo' for the whole of it",
      isWhole: false,
    };
  }
  const missing = level === undefined ? [] : missingParts(folder, level);
  const kubeconfig = join(folder, 'kubeconfig');
  const nodes = await describeNodes(kubeconfig);
  const isWhole = missing.length === 0 && nodes !== undefined;
  const names = [...new Set(running.map(({ name }) => name))].sort();
  const lines = [
    `level ${level ?? 'unknown'}, in ${folder}`,
    ...(nodes ?? ['the API server does not answer']),
    `running: ${names.join(', ')}`,
    ...(missing.length === 0 ? [] : [`not running: ${missing.join(', ')}`]),
    isWhole
      ? `next: export KUBECONFIG=${kubeconfig}; kubectl get pods -A; to end it: ${clusterCommand('down')}`
      : `it is broken. To replace it: ${clusterCommand('up')}; to remove it: ${clusterCommand('down')}`,
  ];
  return { text: lines.join('\n'), isWhole };
}

async function describeNodes(kubeconfig: string): Promise<string[] | undefined> {
  if (!existsSync(kubeconfig)) return undefined;
  const api = openKubeApi(kubeconfig);
  try {
    const { items } = (await api.expect('GET', '/api/v1/nodes')) as { items: Node[] };
    return items.map((node) => {
      const isReady =
        node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
      const gpus = node.status.allocatable?.['nvidia.com/gpu'];
      return `node ${node.metadata.name}: ${isReady ? 'Ready' : 'NotReady'}${gpus === undefined ? '' : `, ${gpus} GPUs`}`;
    });
  } catch {
    return undefined;
  } finally {
    api.close();
  }
}
