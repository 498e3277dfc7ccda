import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { clientPrograms, controlPlaneBinary } from './binary.ts';
import { findProgram, quoted, runCommand } from './command.ts';
import { cacheFolder } from './folders.ts';
import type { Image } from './images.ts';
import type { Cluster } from './running-cluster.ts';

/**
 * The cluster of the current context of the user's kubeconfig (`KUBECONFIG`, by default `~/.kube/config`). Images reach
 * its nodes by the command in `ARPEGGIO_LOAD_IMAGE`, in which `{archive}` and `{image}` stand for an archive's path and the
 * image's name; without it they must be there already, or in a registry the nodes pull from.
 */
export async function existingCluster(): Promise<Cluster> {
  const kubeconfigPath = currentKubeconfig();
  const takesImages = (process.env['ARPEGGIO_LOAD_IMAGE'] ?? '') !== '';
  return { kubeconfigPath, takesImages, ...(await programs()), loadImage: (image) => loadByCommand(image) };
}

async function programs(): Promise<{ kubectl: string; helm: string }> {
  const [kubectl, helm] = [findProgram('kubectl'), findProgram('helm')];
  if (kubectl !== undefined && helm !== undefined) return { kubectl, helm };
  return clientPrograms(await controlPlaneBinary(), join(cacheFolder(), 'bin'));
}

function currentKubeconfig(): string {
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  if (named.length > 1) {
    throw new Error(
      `KUBECONFIG names ${named.length} files; make one of them: kubectl config view --flatten --minify > one.yaml`,
    );
  }
  const path = named[0] ?? join(homedir(), '.kube', 'config');
  if (!existsSync(path))
    throw new Error(`ARPEGGIO_CLUSTER=existing, and there is no kubeconfig at ${path}; set KUBECONFIG`);
  return path;
}

/** The command that loads an image, with its places filled in; by the shell's own rules, so that it may be a pipeline. */
export function loadCommand(template: string, { archive, name }: Image): string {
  if (!/\{(archive|image)\}/.test(template)) {
    throw new Error(
      `ARPEGGIO_LOAD_IMAGE is "${template}" and names neither {archive} nor {image}; see docs/clusters.md`,
    );
  }
  return template.replaceAll('{archive}', quoted(archive)).replaceAll('{image}', quoted(name));
}

async function loadByCommand(image: Image): Promise<void> {
  const template = process.env['ARPEGGIO_LOAD_IMAGE'];
  if (template === undefined || template === '') return;
  await runCommand('sh', ['-c', loadCommand(template, image)]);
}
