import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';

export const operatorNamespace = 'arpeggio-system';
export const operatorName = 'arpeggio-operator';

/** What runs the operator is left to the test; who it is, what it may do and what it knows is the chart's. */
const leftOut = new Set(['Deployment', 'PodDisruptionBudget', 'NetworkPolicy']);

type Manifest = { readonly kind: string; readonly metadata: { readonly name: string } };
type OperatorDeployment = {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [{ readonly env: readonly { readonly name: string; readonly value?: string }[] }];
      };
    };
  };
};

/** What an operator outside its pod needs in order to be the one the chart ships. */
export type InstalledChart = {
  /** Speaks as the operator's ServiceAccount: the shipped role is all it may do. */
  readonly kubeconfigPath: string;
  /** What the chart's Deployment sets outright. */
  readonly operatorEnvironment: Readonly<Record<string, string>>;
};

/** Applies the Helm chart as it is shipped, less the operator's Deployment, and waits until its resources are served. */
export async function installChart(cluster: ApiCluster, values: readonly string[] = []): Promise<InstalledChart> {
  await cluster.api.expect(
    'POST',
    '/api/v1/namespaces',
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: operatorNamespace } },
    [409],
  );
  const settings = values.flatMap((value) => ['--set', value]);
  const chart = join(REPOSITORY, 'charts', 'arpeggio');
  const rendered = run(cluster.helm, ['template', 'arpeggio', chart, '--namespace', operatorNamespace, ...settings]);
  const all = (loadAll(rendered) as (Manifest | null)[]).filter((manifest) => manifest !== null);
  const manifests = all.filter(({ kind }) => !leftOut.has(kind));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
  run(cluster.kubectl, ['--kubeconfig', cluster.kubeconfigPath, 'apply', '--server-side', '-f', '-'], list);
  for (const { metadata } of manifests.filter(({ kind }) => kind === 'CustomResourceDefinition')) {
    const [plural = '', ...group] = metadata.name.split('.');
    const path = `/apis/${group.join('.')}/v1alpha1/${plural}?limit=1`;
    await until(`${metadata.name} is served`, 60_000, async () => (await cluster.api.call('GET', path)).status === 200);
  }
  if (manifests.some(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding')) await untilJudged(cluster);
  return {
    kubeconfigPath: await cluster.asServiceAccount(operatorNamespace, operatorName),
    operatorEnvironment: environmentOf(all),
  };
}

/** The API server takes policies up a moment after they are written; those that are written last come last. */
async function untilJudged(cluster: ApiCluster): Promise<void> {
  const path = `/apis/arpeggio.dev/v1alpha1/namespaces/${operatorNamespace}/workflows?dryRun=All`;
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"args":null}' };
  const refused = {
    ...{ apiVersion: 'arpeggio.dev/v1alpha1', kind: 'Workflow' },
    metadata: { name: 'refused', annotations },
    spec: { task: 'refused' },
  };
  await until('the admission policies judge', 60_000, async () => {
    return (await cluster.api.call('POST', path, refused)).status === 422;
  });
}

function environmentOf(manifests: readonly Manifest[]): Record<string, string> {
  const found = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === operatorName);
  if (found === undefined) throw new Error(`the chart renders no Deployment ${operatorName}`);
  const [container] = (found as Manifest & OperatorDeployment).spec.template.spec.containers;
  return Object.fromEntries(container.env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
}

function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', input, maxBuffer: 64 * 1024 * 1024 });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${String(status)}: ${stderr.slice(-2000)}`);
}
