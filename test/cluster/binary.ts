import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { attempted } from './attempts.ts';
import { findProgram, runCommand, tryCommand } from './command.ts';
import { cacheFolder, REPOSITORY } from './folders.ts';
import { withLock } from './lock.ts';
import { withProgress } from './progress.ts';

/** The Kubernetes this cluster is. go.mod asks for the same. */
const KUBERNETES_VERSION = 'v1.36.3';

const MODULE = join(REPOSITORY, 'test/cluster/controlplane');
const INSTEAD = 'or set ARPEGGIO_CLUSTER=existing to use the cluster of your current kubeconfig (docs/clusters.md)';

/**
 * The path of the binary that holds every part of the cluster; its first argument names the part. Built once per
 * content of the Go module (about six minutes on two cores), then found in the cache.
 */
export function controlPlaneBinary(): Promise<string> {
  const what = `building Kubernetes ${KUBERNETES_VERSION}, once for this machine (about 6 minutes on 2 cores)`;
  return built('controlplane', what, (path) => build(path, '.', versionFlags()));
}

/** The path of a static program that waits for SIGTERM: all there is in the image that holds a pod's namespaces. */
export function pauseBinary(): Promise<string> {
  return built('pause', 'building the pause program', (path) => build(path, './pause', []));
}

async function built(name: string, what: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(cacheFolder(), `${name}-${moduleHash()}`);
  if (existsSync(path)) return path;
  return withLock(`${path}.lock`, async () => {
    if (existsSync(path)) return path;
    await assertGo();
    const unfinished = `${path}.${process.pid}.part`;
    try {
      // Modules come over the network; what is compiled already is not compiled again.
      await withProgress(what, () => attempted(`building ${name}`, () => make(unfinished)));
      renameSync(unfinished, path);
    } finally {
      rmSync(unfinished, { force: true });
    }
    return path;
  });
}

/** The user's `kubectl` and `helm` where they stand; else ours, as links by those names in `folder`. */
export function clientPrograms(binary: string, folder: string): { kubectl: string; helm: string } {
  mkdirSync(folder, { recursive: true });
  return { kubectl: programOr('kubectl', binary, folder), helm: programOr('helm', binary, folder) };
}

function programOr(name: 'kubectl' | 'helm', binary: string, folder: string): string {
  const found = findProgram(name);
  if (found !== undefined) return found;
  const link = join(folder, name);
  rmSync(link, { force: true });
  symlinkSync(binary, link);
  return link;
}

function moduleHash(): string {
  const hash = createHash('sha256').update(process.arch);
  const files = readdirSync(MODULE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  for (const path of paths) hash.update(`\0${relative(MODULE, path)}\0`).update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}

async function assertGo(): Promise<void> {
  const wanted = /^go (\S+)$/m.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))?.[1] ?? '1.26.0';
  if (process.platform !== 'linux')
    throw new Error(`the cluster needs Linux and this is ${process.platform}; use a Linux machine ${INSTEAD}`);
  if (findProgram('go') === undefined)
    throw new Error(`Go is missing: install Go ${wanted} or newer from https://go.dev/dl ${INSTEAD}`);
  // In the module's folder an older Go (1.21 or newer) fetches the one that go.mod asks for, if it may.
  const { code, stdout, stderr } = await tryCommand('go', ['env', 'GOVERSION'], { cwd: MODULE });
  const has = stdout.trim().replace(/^go/, '');
  if (code === 0 && !isOlder(has, wanted)) return;
  const why = code === 0 ? `is ${has}` : `said: ${stderr.trim().split('\n')[0] ?? ''}`;
  throw new Error(`Go is too old (it ${why}): install Go ${wanted} or newer from https://go.dev/dl ${INSTEAD}`);
}

/** Is version `a` older than `b`? Both are dotted numbers; what follows the numbers is left out. */
export function isOlder(a: string, b: string): boolean {
  const numbers = (version: string): number[] => (/^[\d.]+/.exec(version)?.[0] ?? '0').split('.').map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function versionFlags(): string[] {
  const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.');
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((name) => [
    `-X ${name}.gitVersion=${KUBERNETES_VERSION}`,
    `-X ${name}.gitMajor=${major}`,
    `-X ${name}.gitMinor=${minor}`,
  ]);
}

async function build(path: string, pack: string, flags: readonly string[]): Promise<void> {
  await runCommand(
    'go',
    ['build', '-trimpath', '-buildvcs=false', '-ldflags', ['-s -w', ...flags].join(' '), '-o', path, pack],
    {
      cwd: MODULE,
      env: { CGO_ENABLED: '0' },
      timeoutMs: 3_600_000,
    },
  );
}
