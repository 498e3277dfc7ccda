import { realpathSync } from 'node:fs';
import { buildah, hasImage } from './buildah.ts';
import { findProgram } from './command.ts';
import { withLock } from './lock.ts';
import { cacheFolder } from './folders.ts';
import { join } from 'node:path';
import { installPackages } from './packages.ts';
import { say } from './progress.ts';
import { makeImage, type RootFilesystem } from './root-filesystem.ts';
import { REDIS_IMAGE } from '../support/redis-container.ts';

/** What `operator/Dockerfile` and `worker-image/Dockerfile` stand on. */
export const BASE_IMAGE = 'gcr.io/distroless/cc-debian12:nonroot';

/** The base of our images in buildah's storage: pulled, or where it cannot be, made from this machine's libraries. */
export function provideBase(): Promise<void> {
  return provide(BASE_IMAGE, () =>
    makeImage({
      name: BASE_IMAGE,
      programs: [],
      librariesOf: [realpathSync(process.execPath)],
      users: [{ name: 'nonroot', id: 65532 }],
      writable: ['/home/nonroot'],
      config: ['--user', '65532', '--workingdir', '/home/nonroot'],
    }),
  );
}

/** The Redis of the chart and of the tests, in buildah's storage: pulled, or made from this machine's redis-server. */
export function provideRedis(): Promise<void> {
  return provide(REDIS_IMAGE, async () => {
    if (findProgram('redis-server') === undefined) await installPackages(['redis-server']);
    const programs = ['redis-server', 'redis-cli']
      .map((name) => findProgram(name))
      .filter((path) => path !== undefined);
    await makeImage({
      name: REDIS_IMAGE,
      programs: [...new Set(programs.flatMap((path) => [path, realpathSync(path)]))],
      librariesOf: [],
      users: [{ name: 'redis', id: 999 }],
      writable: ['/data'],
      config: [
        '--user',
        '999:999',
        '--workingdir',
        '/data',
        '--port',
        '6379',
        '--cmd',
        '["redis-server"]',
        '--env',
        'PATH=/usr/bin',
      ],
    });
  });
}

/** An image that exists nowhere else, in buildah's storage. */
export async function provideLocal(image: RootFilesystem): Promise<void> {
  await withLock(join(cacheFolder(), 'images', 'provide.lock'), async () => {
    if (!(await hasImage(image.name))) await makeImage(image);
  });
}

const PULL_WITHIN_MS = 120_000;

async function provide(name: string, make: () => Promise<void>): Promise<void> {
  if (await hasImage(name)) return;
  await withLock(join(cacheFolder(), 'images', 'provide.lock'), async () => {
    if (await hasImage(name)) return;
    try {
      await buildah(['pull', '--quiet', '--retry', '0', name], { timeoutMs: PULL_WITHIN_MS });
    } catch {
      say(`${name} cannot be pulled; making one of that name from this machine's libraries`);
      await make();
    }
  });
}
