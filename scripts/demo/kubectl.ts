import type { Cluster } from '../../test/cluster/cluster.ts';
import { runCommand } from '../../test/cluster/command.ts';

export type Kubectl = {
  /** Runs kubectl and returns what it wrote; rejects with its message unless it ends with 0. */
  run(args: readonly string[], input?: string): Promise<string>;
  /** The same with `-o json`, parsed. */
  read<T>(args: readonly string[]): Promise<T>;
};

/** kubectl against one cluster, whatever the user's current context is. */
export function kubectlFor({ kubectl, kubeconfigPath, context }: Cluster): Kubectl {
  const where = ['--kubeconfig', kubeconfigPath, ...(context === undefined ? [] : ['--context', context])];
  function run(args: readonly string[], input?: string): Promise<string> {
    return runCommand(kubectl, [...where, ...args], input === undefined ? {} : { input });
  }
  async function read<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await run([...args, '-o', 'json'])) as T;
  }
  return { run, read };
}
