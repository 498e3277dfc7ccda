import { existsSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildah, saveImage } from './buildah.ts';
import { pauseBinary } from './binary.ts';
import { PAUSE_IMAGE } from './containerd.ts';
import { cacheFolder } from './folders.ts';
import { withLock } from './lock.ts';

/** The archive of the image that holds a pod's namespaces; made once per content of its program. */
export async function pauseArchive(): Promise<string> {
  const program = await pauseBinary();
  const archive = join(cacheFolder(), 'images', `${basename(program)}.tar`);
  if (existsSync(archive)) return archive;
  return withLock(`${archive}.lock`, async () => {
    if (existsSync(archive)) return archive;
    const container = (await buildah(['from', 'scratch'])).trim();
    try {
      await buildah(['copy', '--quiet', container, program, '/pause']);
      await buildah(['config', '--entrypoint', '["/pause"]', '--user', '65532:65532', container]);
      await buildah(['commit', '--quiet', container, PAUSE_IMAGE]);
    } finally {
      await buildah(['rm', container]);
    }
    rmSync(`${archive}.part`, { force: true });
    await saveImage(PAUSE_IMAGE, `${archive}.part`);
    renameSync(`${archive}.part`, archive);
    return archive;
  });
}
