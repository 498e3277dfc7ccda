import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildah, hasImage, imageId, imageLabel, saveImage } from './buildah.ts';
import { cacheFolder } from './folders.ts';
import { withLock } from './lock.ts';
import { withProgress } from './progress.ts';

export type ImageBuild = {
  readonly dockerfile: string;
  readonly context: string;
  /** With registry and tag. */
  readonly name: string;
  /** Folders that stand in for stages of the Dockerfile, by the stage's name. */
  readonly stages?: Readonly<Record<string, string>>;
  /** Images the Dockerfile stands on: another of that name makes another build. */
  readonly bases?: readonly string[];
};

/**
 * Builds an image and returns the path of its archive; the same inputs give the archive that is there. Only the
 * files of `files` count as the context's when it is given, else all of it.
 */
export async function buildImage(build: ImageBuild, files?: readonly string[]): Promise<string> {
  const key = await keyOf(build, files ?? [build.context]);
  // Another image stands on the name and not on the archive: both must be of this build.
  const isNamed = (await hasImage(build.name)) && (await imageLabel(build.name, KEY_LABEL)) === key;
  if (isNamed && existsSync(archivePath(build.name, key))) return archivePath(build.name, key);
  return withProgress(`building the image ${build.name}`, async () => {
    const stages = Object.entries(build.stages ?? {});
    const from = stages.flatMap(([stage, folder]) => ['--build-context', `${stage}=${folder}`]);
    const what = [
      '--file',
      build.dockerfile,
      ...from,
      '--label',
      `${KEY_LABEL}=${key}`,
      '--tag',
      build.name,
      build.context,
    ];
    await buildah(['bud', '--quiet', '--isolation', 'chroot', '--timestamp', '0', ...what]);
    // What had the name before has none now, and each is as large as this one.
    await buildah(['rmi', '--prune']);
    return archive(build.name, key);
  });
}

/** The archive of an image that is in buildah's storage. */
export async function archiveOf(name: string): Promise<string> {
  const key = (await imageId(name)).replace(/^sha256:/, '').slice(0, 12);
  return existsSync(archivePath(name, key)) ? archivePath(name, key) : archive(name, key);
}

/** On an image we built: a hash of all that went into it. */
const KEY_LABEL = 'arpeggio.dev/inputs';
const FORGET_AFTER_MS = 24 * 60 * 60 * 1000;

function archivePath(name: string, key: string): string {
  return join(cacheFolder(), 'images', `${stemOf(name)}-${key}.tar`);
}

function stemOf(name: string): string {
  return name.replaceAll(/[/:]/g, '_');
}

async function archive(name: string, key: string): Promise<string> {
  const path = archivePath(name, key);
  return withLock(`${path}.lock`, async () => {
    rmSync(`${path}.part`, { force: true });
    await saveImage(name, `${path}.part`);
    renameSync(`${path}.part`, path);
    removeOld(stemOf(name));
    return path;
  });
}

/** Earlier builds: those of today may be on their way into a cluster. */
function removeOld(stem: string): void {
  const folder = join(cacheFolder(), 'images');
  const archives = readdirSync(folder).filter((entry) => entry.startsWith(`${stem}-`) && entry.endsWith('.tar'));
  for (const path of archives.map((entry) => join(folder, entry))) {
    if (statSync(path).mtimeMs < Date.now() - FORGET_AFTER_MS) rmSync(path, { force: true });
  }
}

async function keyOf(build: ImageBuild, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(build.dockerfile));
  for (const base of build.bases ?? []) hash.update(await imageId(base));
  for (const folder of [...files, ...Object.values(build.stages ?? {})]) addTree(hash, folder);
  return hash.digest('hex').slice(0, 12);
}

function addTree(hash: ReturnType<typeof createHash>, folder: string): void {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) {
    hash.update(`\0${relative(folder, path)}\0${statSync(path).mode}\0`).update(readFileSync(path));
  }
}
