import { spawn } from 'node:child_process';

export type Kubectl = {
  /** Runs kubectl and returns what it wrote; rejects with its message unless it ends with 0. */
  run(args: readonly string[], input?: string): Promise<string>;
  /** The same with `-o json`, parsed. */
  read<T>(args: readonly string[]): Promise<T>;
};

/** kubectl against one cluster, whatever the user's current context is. */
export function kubectlFor(program: string, kubeconfigPath: string | undefined): Kubectl {
  const env = { ...process.env, ...(kubeconfigPath === undefined ? {} : { KUBECONFIG: kubeconfigPath }) };
  function run(args: readonly string[], input?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { env, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
      const [written, said]: [Buffer[], Buffer[]] = [[], []];
      child.stdout?.on('data', (chunk: Buffer) => written.push(chunk));
      child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve(Buffer.concat(written).toString());
        else
          reject(
            new Error(`kubectl ${args.join(' ')} ended with ${String(code)}: ${Buffer.concat(said).toString().trim()}`),
          );
      });
      // A program that ends before it has read its input is judged by its exit code.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  }
  async function read<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await run([...args, '-o', 'json'])) as T;
  }
  return { run, read };
}
