import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildah, hasImage, imageId, saveImage } from './buildah.ts';
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
  return archive(build.name, key, async () => {
    const stages = Object.entries(build.stages ?? {}).flatMap(([stage, folder]) => [
      '--build-context',
      `${stage}=${folder}`,
    ]);
    const where = ['--file', build.dockerfile, ...stages, '--tag', build.name, build.context];
    await buildah(['bud', '--quiet', '--isolation', 'chroot', '--timestamp', '0', ...where]);
  });
}

/** The archive of an image that is in buildah's storage. */
export async function archiveOf(name: string): Promise<string> {
  const key = (await imageId(name)).replace(/^sha256:/, '').slice(0, 12);
  return archive(name, key, () => Promise.resolve());
}

async function archive(name: string, key: string, make: () => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), 'images');
  mkdirSync(folder, { recursive: true });
  const stem = name.replaceAll(/[/:]/g, '_');
  const path = join(folder, `${stem}-${key}.tar`);
  // An image's name may be the base of another, so the storage must have it too.
  if (existsSync(path) && (await hasImage(name))) return path;
  return withLock(`${path}.lock`, () =>
    withProgress(`making the image ${name}`, async () => {
      await make();
      rmSync(`${path}.part`, { force: true });
      await saveImage(name, `${path}.part`);
      for (const old of readdirSync(folder).filter((entry) => entry.startsWith(`${stem}-`) && entry.endsWith('.tar'))) {
        rmSync(join(folder, old), { force: true });
      }
      renameSync(`${path}.part`, path);
      return path;
    }),
  );
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
