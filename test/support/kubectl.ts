import type { ApiCluster } from '../cluster/api-level.ts';
import { runCommand, tryCommand } from '../cluster/command.ts';

/** kubectl as a person uses it, on one cluster and as one user. */
export type Kubectl = {
  /** What it printed; rejects, with what it said, unless it ended with 0. */
  (args: readonly string[], input?: string | object): Promise<string>;
  /** What it said when it refused; rejects if it did not. */
  refused(args: readonly string[], input?: string | object): Promise<string>;
};

/** As the cluster's administrator unless another kubeconfig is given. An object as input becomes JSON. */
export function kubectlOf(cluster: ApiCluster, kubeconfigPath = cluster.kubeconfigPath): Kubectl {
  const options = (input: string | object | undefined): { env: { KUBECONFIG: string }; input?: string } => ({
    env: { KUBECONFIG: kubeconfigPath },
    ...(input === undefined ? {} : { input: typeof input === 'string' ? input : JSON.stringify(input) }),
  });
  const run = (args: readonly string[], input?: string | object): Promise<string> =>
    runCommand(cluster.kubectl, args, options(input));
  const refused = async (args: readonly string[], input?: string | object): Promise<string> => {
    const { code, stdout, stderr } = await tryCommand(cluster.kubectl, args, options(input));
    if (code === 0) throw new Error(`kubectl ${args.join(' ')} was not refused: ${stdout}`);
    return stderr;
  };
  return Object.assign(run, { refused });
}
