import { loadImages, openCluster, type Cluster } from '../test/cluster/cluster.ts';
import { findProgram } from '../test/cluster/command.ts';
import { clusterCommand } from '../test/cluster/folders.ts';
import { OPERATOR_IMAGE } from '../test/cluster/images.ts';
import { durationText } from './command.ts';
import { installArpeggio, OPERATOR_NAMESPACE } from './demo/install.ts';
import { kubectlFor, type Kubectl } from './demo/kubectl.ts';
import { judge, promisesOfExamples, type Verdict } from './demo/promise.ts';
import { applyPools, applyWorkflows, watchWorkflows } from './demo/run-examples.ts';
import { step } from './demo/step.ts';

const NAMESPACE = 'examples';
const RUN_WITHIN_MS = 180_000;

async function gpuNodes(kubectl: Kubectl): Promise<string[]> {
  type Node = { metadata: { name: string }; status: { allocatable?: Record<string, string> } };
  const { items } = await kubectl.read<{ items: Node[] }>(['get', 'nodes']);
  const nodes = items.filter(({ status }) => Number(status.allocatable?.['nvidia.com/gpu'] ?? 0) > 0);
  if (nodes.length > 0) return nodes.map(({ metadata }) => metadata.name);
  throw new Error(
    'no node of this cluster offers nvidia.com/gpu, which the training step asks for; docs/clusters.md says how to give a node one to try',
  );
}

async function install(cluster: Cluster, kubectl: Kubectl): Promise<void> {
  const images = await step('build the images and load them into the nodes', () => loadImages(cluster));
  const operator = images.find(({ name }) => name === OPERATOR_IMAGE);
  if (operator === undefined) throw new Error(`${OPERATOR_IMAGE} was not built`);
  await step('install the operator and a Redis for trying out, from the Helm chart', () =>
    installArpeggio(cluster, kubectl, { namespaces: [NAMESPACE], operator }),
  );
}

async function runExamples(kubectl: Kubectl): Promise<Verdict[]> {
  const gpus = await gpuNodes(kubectl);
  await step('apply queues and pools: no pod yet', () => applyPools(kubectl, NAMESPACE));
  const seen = await step('apply the workflows and watch', async () => {
    const began = performance.now();
    await applyWorkflows(kubectl, NAMESPACE);
    const tell = (line: string): void =>
      console.log(`  ${durationText(performance.now() - began).padStart(8)}  ${line}`);
    return watchWorkflows(kubectl, NAMESPACE, { withinMs: RUN_WITHIN_MS, tell });
  });
  console.log(`\n$ kubectl get workflows -n ${NAMESPACE}`);
  console.log(await kubectl.run(['get', 'workflows', '-n', NAMESPACE]));
  console.log(`$ kubectl get pods -n ${NAMESPACE} -o wide`);
  console.log(await kubectl.run(['get', 'pods', '-n', NAMESPACE, '-o', 'wide']));
  return judge(promisesOfExamples(gpus), seen);
}

function tellWayOn(cluster: Cluster): void {
  const isOurs = process.env['ARPEGGIO_CLUSTER'] !== 'existing';
  const kubectl = findProgram('kubectl') === cluster.kubectl ? '' : `\n  alias kubectl=${cluster.kubectl}`;
  const helm = findProgram('helm') === cluster.helm ? 'helm' : cluster.helm;
  console.log(`
Look around:
  export KUBECONFIG=${cluster.kubeconfigPath}${kubectl}
  kubectl get arpeggio -n ${NAMESPACE}                          # workflows, pools and queues
  kubectl describe workflow risky-division -n ${NAMESPACE}      # what failed, where, and who was told
  kubectl get wp gpu -n ${NAMESPACE} -o yaml                    # the last decision about pods, with its inputs
  kubectl logs -n ${NAMESPACE} -l arpeggio.dev/pool=cpu --prefix # while the pool has pods
  kubectl logs -n ${OPERATOR_NAMESPACE} -l app.kubernetes.io/component=operator --prefix --tail=50 # one of the two leads
  kubectl explain workflow.spec.chain
Try tasks of your own: docs/clusters.md, "Your own tasks on it"
Stop: ${isOurs ? clusterCommand('down') : `${helm} uninstall arpeggio -n ${OPERATOR_NAMESPACE}; kubectl delete namespace ${NAMESPACE}`}`);
}

async function main(): Promise<boolean> {
  const started = performance.now();
  const cluster = await step('bring up a Kubernetes cluster', () => openCluster());
  const kubectl = kubectlFor(cluster);
  await install(cluster, kubectl);
  const verdicts = await runExamples(kubectl);
  for (const { workflow, says, kept } of verdicts) console.log(`  ${kept ? '✔' : '✘'} ${workflow}: ${says}`);
  tellWayOn(cluster);
  const broken = verdicts.filter(({ kept }) => !kept).length;
  const summary =
    broken === 0 ? 'All examples did what they promise' : `Not all examples did what they promise: ${broken} ✘`;
  console.log(`\n${summary} (${durationText(performance.now() - started)})`);
  return broken === 0;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(`✘ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
