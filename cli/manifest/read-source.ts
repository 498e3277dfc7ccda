import { readFileSync } from 'node:fs';
import { Unusable } from '../exit-code.ts';
import type { SourceFile } from './manifest.ts';

/** Reads a file, or stdin for `-`. Throws `Unusable`. */
export function readSource(path: string): SourceFile {
  try {
    if (path === '-') return { name: 'stdin', text: readFileSync(0, 'utf8') };
    return { name: path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Unusable(`there is no file ${path}`);
    if (code === 'EISDIR') throw new Unusable(`${path} is a folder; give a file`);
    throw new Unusable(`${path} cannot be read: ${message}`);
  }
}
