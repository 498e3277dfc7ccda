import { basename, join } from 'node:path';
import type { Cluster } from '../../test/cluster/cluster.ts';
import { runCommand } from '../../test/cluster/command.ts';
import type { Image } from '../../test/cluster/images.ts';
import { ROOT } from '../command.ts';
import type { Kubectl } from './kubectl.ts';

export const OPERATOR_NAMESPACE = 'arpeggio-system';

export type Installation = {
  /** Namespaces that get a connection to the bundled Redis; those that are missing are made. */
  readonly namespaces: readonly string[];
  /** The operator's image as it was loaded: built anew under the same tag, its pods are replaced. */
  readonly operator: Image;
};

/** Installs or upgrades the operator and its bundled Redis from the chart; resolves when all of it is ready. */
export async function installArpeggio(cluster: Cluster, kubectl: Kubectl, wanted: Installation): Promise<void> {
  for (const namespace of wanted.namespaces) await applyNamespace(kubectl, namespace);
  const values = [
    'redis.enabled=true',
    `redis.connectionNamespaces={${wanted.namespaces.join(',')}}`,
    `podAnnotations.arpeggio\\.dev/image=${basename(wanted.operator.archive)}`,
  ];
  const context = cluster.context === undefined ? [] : ['--kube-context', cluster.context];
  await runCommand(cluster.helm, [
    'upgrade',
    '--install',
    'arpeggio',
    join(ROOT, 'charts/arpeggio'),
    ...['--kubeconfig', cluster.kubeconfigPath, ...context],
    ...['--namespace', OPERATOR_NAMESPACE, '--create-namespace', '--wait', '--timeout', '10m'],
    ...values.flatMap((value) => ['--set', value]),
  ]);
}

async function applyNamespace(kubectl: Kubectl, name: string): Promise<void> {
  await kubectl.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
}
