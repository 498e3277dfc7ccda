import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildah } from './buildah.ts';
import { runCommand } from './command.ts';

export type RootFilesystem = {
  readonly name: string;
  /** Programs of this machine, by path; with the libraries they load. */
  readonly programs: readonly string[];
  /** Only the libraries these load. */
  readonly librariesOf: readonly string[];
  /** Lines beside root's. */
  readonly users: readonly { readonly name: string; readonly id: number }[];
  /** Folders that this user may write. */
  readonly writable: readonly string[];
  readonly config: readonly string[];
};

/** On an image we made: what it was made of. */
export const RECIPE_LABEL = 'arpeggio.dev/recipe';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Makes an image from parts of this machine: no shell, no package manager, no more than its programs load. */
export async function makeImage(image: RootFilesystem): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'arpeggio-image-'));
  try {
    await fill(root, image);
    const container = (await buildah(['from', 'scratch'])).trim();
    try {
      // Unlike buildah's own copy this keeps who owns what.
      await runCommand('cp', ['--archive', `${root}/.`, (await buildah(['mount', container])).trim()]);
      await buildah(['umount', container]);
      await buildah(['config', ...image.config, '--label', `${RECIPE_LABEL}=${recipeOf(image)}`, container]);
      await buildah(['commit', '--quiet', container, image.name]);
    } finally {
      await buildah(['rm', container]);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Another recipe, another image: how this file makes them, what goes in, and which programs those are. */
export function recipeOf(image: RootFilesystem): string {
  const programs = [...image.programs, ...image.librariesOf].map((path) => [
    path,
    statSync(path).size,
    statSync(path).mtimeMs,
  ]);
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  return hash
    .update(JSON.stringify([image, programs]))
    .digest('hex')
    .slice(0, 16);
}

async function fill(root: string, image: RootFilesystem): Promise<void> {
  const libraries = await librariesOf([...image.programs, ...image.librariesOf]);
  for (const path of [...libraries, ...image.programs]) copyReal(path, join(root, path));
  if (existsSync(CERTIFICATES)) copyReal(CERTIFICATES, join(root, CERTIFICATES));
  mkdirSync(join(root, 'etc'), { recursive: true });
  const users = [{ name: 'root', id: 0 }, ...image.users];
  const file = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(root, 'etc', name), `${lines.join('\n')}\n`);
  file(
    'passwd',
    users.map(({ name, id }) => `${name}:x:${id}:${id}:${name}:/:/sbin/nologin`),
  );
  file(
    'group',
    users.map(({ name, id }) => `${name}:x:${id}:`),
  );
  file('nsswitch.conf', ['passwd: files', 'group: files', 'hosts: files dns']);
  mkdirSync(join(root, 'tmp'), { recursive: true });
  await runCommand('chmod', ['1777', join(root, 'tmp')]);
  for (const folder of image.writable) {
    mkdirSync(join(root, folder), { recursive: true });
    await runCommand('chown', [`${image.users[0]?.id ?? 0}`, join(root, folder)]);
  }
}

/** What the loader would load, with the loader itself and what it loads only when a name is looked up. */
async function librariesOf(programs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const program of programs) {
    const listing = await runCommand('ldd', [program]);
    for (const match of listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)) if (match[1] !== undefined) found.add(match[1]);
  }
  const libc = [...found].find((path) => path.endsWith('/libc.so.6'));
  if (libc === undefined)
    throw new Error(`${programs.join(', ')} load no libc; images are made from dynamically linked programs`);
  for (const name of ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2']) {
    const path = join(dirname(libc), name);
    if (existsSync(path)) found.add(path);
  }
  return [...found];
}

function copyReal(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(realpathSync(from), to);
}
