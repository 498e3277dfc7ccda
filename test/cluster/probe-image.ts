import { realpathSync } from 'node:fs';
import { archiveOf } from './image-archive.ts';
import type { Image } from './images.ts';
import { provideLocal } from './local-images.ts';

const PROBE_IMAGE = 'arpeggio.dev/probe:1';

/** An image with Node and nothing else, for tests that need a pod which does a particular thing. Entrypoint: node. */
export async function probeImage(): Promise<Image> {
  const node = realpathSync(process.execPath);
  await provideLocal({
    name: PROBE_IMAGE,
    programs: [node],
    librariesOf: [],
    users: [{ name: 'probe', id: 65532 }],
    writable: [],
    config: ['--user', '65532:65532', '--entrypoint', JSON.stringify([node])],
  });
  return { name: PROBE_IMAGE, archive: await archiveOf(PROBE_IMAGE) };
}
