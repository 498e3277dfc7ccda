import { chmodSync, cpSync, linkSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { cacheFolder, REPOSITORY } from './folders.ts';
import { archiveOf, buildImage } from './image-archive.ts';
import { BASE_IMAGE, provideBase, provideRedis } from './local-images.ts';
import { withLock } from './lock.ts';
import { withProgress } from './progress.ts';
import { REDIS_IMAGE } from '../support/redis-image.ts';

export type Image = { readonly name: string; readonly archive: string };

const VERSION = (JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string }).version;

export const OPERATOR_IMAGE = `ghcr.io/arpeggio-dev/operator:${VERSION}`;
export const WORKER_IMAGE = `ghcr.io/arpeggio-dev/worker:${VERSION}`;
const EXAMPLES_IMAGE = `ghcr.io/arpeggio-dev/examples:${VERSION}`;

/** The names of what `buildImages` builds. */
export const IMAGE_NAMES = [OPERATOR_IMAGE, WORKER_IMAGE, EXAMPLES_IMAGE, REDIS_IMAGE];

/** Builds the operator's, the worker's and the examples' image from what the repository holds now, and Redis's. */
export async function buildImages(): Promise<Image[]> {
  await provideBase();
  await provideRedis();
  return withLock(join(cacheFolder(), 'images', 'build.lock'), async () => {
    const stage = await buildStage();
    const ours = (name: string, program: string): Promise<string> =>
      buildImage(
        {
          dockerfile: join(REPOSITORY, program, 'Dockerfile'),
          context: REPOSITORY,
          name,
          stages: { build: stage },
          bases: [BASE_IMAGE],
        },
        [],
      );
    const operator = await ours(OPERATOR_IMAGE, 'operator');
    const worker = await ours(WORKER_IMAGE, 'worker-image');
    const context = join(REPOSITORY, 'examples');
    const dockerfile = join(context, 'Dockerfile');
    const examples = await buildImage({ dockerfile, context, name: EXAMPLES_IMAGE, bases: [WORKER_IMAGE] });
    return [
      { name: OPERATOR_IMAGE, archive: operator },
      { name: WORKER_IMAGE, archive: worker },
      { name: EXAMPLES_IMAGE, archive: examples },
      { name: REDIS_IMAGE, archive: await archiveOf(REDIS_IMAGE) },
    ];
  });
}

/** A folder that holds what the Dockerfiles' build stage would: this project's Node and fresh bundles. */
async function buildStage(): Promise<string> {
  const node = realpathSync(process.execPath);
  await withProgress('bundling the programs', () => runCommand(node, ['scripts/bundle.ts'], { cwd: REPOSITORY }));
  const stage = join(cacheFolder(), 'images', 'stage');
  rmSync(stage, { recursive: true, force: true });
  const program = join(stage, 'usr/local/bin/node');
  mkdirSync(join(stage, 'usr/local/bin'), { recursive: true });
  copyLinked(node, program);
  chmodSync(program, 0o755);
  cpSync(join(REPOSITORY, 'dist'), join(stage, 'src/dist'), { recursive: true });
  return stage;
}

function copyLinked(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to); // Another filesystem.
  }
}
