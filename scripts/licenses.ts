import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type PackageLicense = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
};

/** Licences whose code may be shipped inside ours under Apache-2.0; SPDX identifiers. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/** May code under this SPDX expression be shipped? Of an `OR` one side is enough, of an `AND` all are needed. */
export function isAllowed(expression: string): boolean {
  return expression
    .replaceAll(/[()]/g, ' ')
    .split(/\s+OR\s+/)
    .some((alternative) => alternative.split(/\s+AND\s+/).every((name) => ALLOWED.has(name.trim())));
}

/** `node_modules/@a/b/dist/x.js` → `node_modules/@a/b`; the innermost package where they are nested. */
export function packageFolderOf(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

/** Reads name, version, licence and licence text of the package in a folder. */
export function readLicense(folder: string): PackageLicense {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string | { type: string };
  };
  const license = typeof manifest.license === 'object' ? manifest.license.type : (manifest.license ?? 'none');
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  const text = file !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '';
  return { name: manifest.name, version: manifest.version, license, text: text.trim() };
}

/** The notice that goes beside the programs, by name of package. Throws when one may not be shipped, naming all that may not. */
export function noticeOf(packages: readonly PackageLicense[]): string {
  const refused = packages.filter(({ license }) => !isAllowed(license));
  if (refused.length > 0) {
    const names = refused.map(({ name, version, license }) => `${name}@${version} (${license})`).join(', ');
    throw new Error(
      `licence not known to allow shipping: ${names}; replace the package, or add the licence to scripts/licenses.ts after reading it`,
    );
  }
  const rule = '─'.repeat(80);
  const entries = packages
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, version, license, text }) => `${rule}\n${name} ${version} — ${license}\n\n${text}\n`);
  return `This program holds code of the packages below, each under the licence given with it.\n\n${entries.join('\n')}`;
}
