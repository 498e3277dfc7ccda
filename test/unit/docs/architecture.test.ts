import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

describe('the page about the architecture', () => {
  test('names only files that are there', () => {
    const named = [...page.matchAll(/`([a-z-]+\/[\w./-]+\.(?:ts|yaml))`/g)].map(([, path]) => path ?? '');
    expect(named.length).toBeGreaterThan(25);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test.each(['core', 'io', 'operator', 'worker-image', 'cli'])('has a word for every folder of %s/', (layer) => {
    const folders = readdirSync(join(root, layer), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => !sectionOf(layer).includes(`${name}/`))).toEqual([]);
  });
});

/** The lines about a top-level folder: its own and the indented ones that follow. */
function sectionOf(layer: string): string {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${layer}/ `));
  const length = lines.slice(start + 1).findIndex((line) => !line.startsWith(' '));
  return lines.slice(start, start + 1 + length).join('\n');
}
