import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiCluster } from '../../test/cluster/api-level.ts';

/** Writes what the API server spends its processor time on for some seconds, for `go tool pprof`. Resolves when it is written. */
export async function startApiServerProfile(
  { kubectl, kubeconfigPath }: Pick<ApiCluster, 'kubectl' | 'kubeconfigPath'>,
  folder: string,
  seconds: number,
): Promise<void> {
  const own = join(folder, 'api-server');
  mkdirSync(own, { recursive: true });
  const args = ['--kubeconfig', kubeconfigPath, 'get', '--raw', `/debug/pprof/profile?seconds=${seconds}`];
  const getting = spawn(kubectl, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  getting.stdout.pipe(createWriteStream(join(own, 'cpu.pprof')));
  const [code] = (await once(getting, 'close')) as [number | null];
  if (code !== 0) throw new Error(`kubectl could not read the API server's profile: it ended with ${code}`);
}
