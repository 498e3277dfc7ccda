import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildGeneratedFiles } from './generated/files.ts';

/**
 * `npm run generate` writes everything that is made from the schemas of core/resources; with `--check` it writes nothing,
 * names what is stale and ends with 1.
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function isStale(path: string, text: string): boolean {
  try {
    return readFileSync(join(root, path), 'utf8') !== text;
  } catch {
    return true;
  }
}

const stale = [...buildGeneratedFiles()].filter(([path, text]) => isStale(path, text));
if (argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is stale: run npm run generate, and commit what it wrote`);
  exit(stale.length === 0 ? 0 : 1);
}
for (const [path, text] of stale) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  console.log(`wrote ${path}`);
}
if (stale.length === 0) console.log('everything that is generated is fresh');
