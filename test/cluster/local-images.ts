import { realpathSync } from 'node:fs';
import { buildah, hasImage, imageLabel } from './buildah.ts';
import { findProgram } from './command.ts';
import { withLock } from './lock.ts';
import { cacheFolder } from './folders.ts';
import { join } from 'node:path';
import { installPackages } from './packages.ts';
import { say } from './progress.ts';
import { makeImage, RECIPE_LABEL, recipeOf, type RootFilesystem } from './root-filesystem.ts';
import { REDIS_IMAGE } from '../support/redis-image.ts';

/** What `operator/Dockerfile` and `worker-image/Dockerfile` stand on. */
export const BASE_IMAGE = 'gcr.io/distroless/cc-debian12:nonroot';

/** The base of our images in buildah's storage: pulled, or where it cannot be, made from this machine's libraries. */
export function provideBase(): Promise<void> {
  return provide({
    name: BASE_IMAGE,
    programs: [],
    librariesOf: [realpathSync(process.execPath)],
    users: [{ name: 'nonroot', id: 65532 }],
    writable: ['/home/nonroot'],
    config: ['--user', '65532', '--workingdir', '/home/nonroot'],
  });
}

/** The Redis of the chart and of the tests, in buildah's storage: pulled, or made from this machine's redis-server. */
export async function provideRedis(): Promise<void> {
  if (findProgram('redis-server') === undefined) await installPackages(['redis-server']);
  const programs = ['redis-server', 'redis-cli'].map((name) => findProgram(name)).filter((path) => path !== undefined);
  const config = ['--user', '999:999', '--workingdir', '/data', '--port', '6379', '--cmd', '["redis-server"]'];
  await provide({
    name: REDIS_IMAGE,
    programs: [...new Set(programs.flatMap((path) => [path, realpathSync(path)]))],
    librariesOf: [],
    users: [{ name: 'redis', id: 999 }],
    writable: ['/data'],
    config: [...config, '--env', 'PATH=/usr/local/bin:/usr/bin:/bin'],
  });
}

/** An image that exists nowhere else, in buildah's storage. */
export async function provideLocal(image: RootFilesystem): Promise<void> {
  await withLock(LOCK, async () => {
    if (!(await isCurrent(image))) await makeImage(image);
  });
}

const LOCK = join(cacheFolder(), 'images', 'provide.lock');
const PULL_WITHIN_MS = 120_000;

async function provide(image: RootFilesystem): Promise<void> {
  await withLock(LOCK, async () => {
    if (await isCurrent(image)) return;
    if (!(await hasImage(image.name)) && (await isPulled(image.name))) return;
    await makeImage(image);
  });
}

/** One that was pulled has no recipe and stays; one of ours stays as long as we would make it the same. */
async function isCurrent(image: RootFilesystem): Promise<boolean> {
  if (!(await hasImage(image.name))) return false;
  const made = await imageLabel(image.name, RECIPE_LABEL);
  return made === '' || made === recipeOf(image);
}

async function isPulled(name: string): Promise<boolean> {
  try {
    await buildah(['pull', '--quiet', '--retry', '0', name], { timeoutMs: PULL_WITHIN_MS });
    return true;
  } catch {
    say(`${name} cannot be pulled; making one of that name from this machine's programs and libraries`);
    return false;
  }
}
