import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { importImage } from './containerd.ts';
import { existingCluster } from './existing.ts';
import { NODES } from './full-level.ts';
import { buildImages, WORKER_IMAGE, type Image } from './images.ts';
import { buildImage } from './image-archive.ts';
import { withProgress } from './progress.ts';
import { slotOf } from './slot.ts';
import { readState } from './state.ts';

/** What a user asks to be loaded: an archive, or a folder with a Dockerfile and the name its image is to have. */
export type Loadable =
  | { readonly kind: 'Archive'; readonly archive: string }
  | { readonly kind: 'Folder'; readonly folder: string; readonly name: string };

/** Paths count from the folder `from`. Throws an error that says what to give instead. */
export function loadableOf([what, name, ...more]: readonly string[], from = process.cwd()): Loadable {
  if (what === undefined || more.length > 0)
    throw new Error('load takes an archive, or a folder and the name of its image');
  const path = resolve(from, what);
  if (!existsSync(path))
    throw new Error(`${what} is not there; write an archive with: docker save NAME:TAG -o ${what}`);
  if (statSync(path).isFile()) {
    if (name !== undefined) throw new Error(`${what} is an archive, which has its names already; leave out ${name}`);
    return { kind: 'Archive', archive: path };
  }
  return folderWith(what, path, name);
}

function folderWith(what: string, folder: string, name: string | undefined): Loadable {
  if (!existsSync(join(folder, 'Dockerfile')))
    throw new Error(`${what} holds no Dockerfile; give the folder with it, or an archive`);
  if (name === undefined)
    throw new Error(`give the name the image is to have as well, such as: load ${what} ${basename(folder)}:1`);
  if (!/:[^/]+$/.test(name) || name.endsWith(':latest')) {
    const tagged = `${name.replace(/:latest$/, '')}:1`;
    throw new Error(`${name} needs a tag other than latest, which nodes always pull; such as ${tagged}`);
  }
  return { kind: 'Folder', folder, name };
}

/** Makes an image known to every node of the cluster in this folder, or of the user's own; the names it has there. */
export async function loadIntoCluster(folder: string, loadable: Loadable): Promise<readonly string[]> {
  const load = process.env['ARPEGGIO_CLUSTER'] === 'existing' ? await byCommand() : intoNodes(folder);
  const image = loadable.kind === 'Archive' ? { name: '', archive: loadable.archive } : await built(loadable);
  const names = await withProgress('loading the image into the nodes', () => load(image));
  // A build has further names in the archive, which nobody asked for.
  return loadable.kind === 'Folder' ? [loadable.name] : names;
}

type Load = (image: Image) => Promise<readonly string[]>;

function intoNodes(folder: string): Load {
  const { level, slot } = readState(folder) ?? {};
  if (level === 'api') throw new Error('a cluster of level api runs no pods, so it takes no images');
  if (slot === undefined) throw new Error("no cluster is up; 'npm run cluster -- up' starts one");
  return async ({ archive }) => {
    const names = await Promise.all(NODES.map((node) => importImage(slotOf(slot), node, archive)));
    return [...new Set(names.flat())];
  };
}

async function byCommand(): Promise<Load> {
  const cluster = await existingCluster();
  if (!cluster.takesImages)
    throw new Error('ARPEGGIO_LOAD_IMAGE is not set: it is the command that loads an image (docs/clusters.md)');
  return async (image) => {
    await cluster.loadImage(image);
    return image.name === '' ? [] : [image.name];
  };
}

/** Where the image stands on our worker image, that one is what the repository holds now. */
async function built({ folder, name }: Extract<Loadable, { kind: 'Folder' }>): Promise<Image> {
  await buildImages();
  const dockerfile = join(folder, 'Dockerfile');
  return { name, archive: await buildImage({ dockerfile, context: folder, name, bases: [WORKER_IMAGE] }) };
}
