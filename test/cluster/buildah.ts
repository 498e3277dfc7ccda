import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram, runCommand, tryCommand, type CommandOptions } from './command.ts';
import { cacheFolder } from './folders.ts';
import { installPackages } from './packages.ts';

/** Builds images without a daemon, in a storage of our own. Needs root. Returns what the command prints. */
export async function buildah(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  await requireBuildah();
  const { run, flags } = places();
  return runCommand('buildah', [...flags, ...args], {
    ...options,
    env: { BUILDAH_ISOLATION: 'chroot', TMPDIR: run, ...options.env },
  });
}

/** Is there an image of this name in our storage? */
export async function hasImage(name: string): Promise<boolean> {
  await requireBuildah();
  return (await tryCommand('buildah', [...places().flags, 'inspect', '--type', 'image', name])).code === 0;
}

/** The id of an image of our storage: another id, another content. */
export async function imageId(name: string): Promise<string> {
  return (await buildah(['inspect', '--type', 'image', '--format', '{{.FromImageID}}', name])).trim();
}

/** A label of an image of our storage; empty when it has none of this name. */
export async function imageLabel(name: string, label: string): Promise<string> {
  const format = `{{index .OCIv1.Config.Labels "${label}"}}`;
  return (await buildah(['inspect', '--type', 'image', '--format', format, name])).trim();
}

/** Writes an image of our storage as an archive that `ctr`, `docker load` and `kind load` read. */
export async function saveImage(name: string, archive: string): Promise<void> {
  mkdirSync(dirname(archive), { recursive: true });
  await buildah(['push', '--quiet', name, `docker-archive:${archive}:${name}`]);
}

async function requireBuildah(): Promise<void> {
  if (findProgram('buildah') === undefined) await installPackages(['buildah']);
}

function places(): { run: string; flags: string[] } {
  const folder = join(cacheFolder(), 'images');
  const [storage, run] = [join(folder, 'storage'), join(folder, 'run')];
  mkdirSync(storage, { recursive: true });
  mkdirSync(run, { recursive: true });
  return { run, flags: ['--root', storage, '--runroot', run, '--storage-driver', 'vfs'] };
}
