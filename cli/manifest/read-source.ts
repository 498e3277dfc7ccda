import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Unusable } from '../exit-code.ts';
import type { SourceFile } from './manifest.ts';

/** Reads a file, or stdin for `-`. Throws `Unusable`. */
export async function readSource(path: string): Promise<SourceFile> {
  try {
    if (path === '-') return { name: 'stdin', text: await text(process.stdin) };
    return { name: path, text: await readFile(path, 'utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Unusable(`there is no file ${path}`);
    if (code === 'EISDIR') throw new Unusable(`${path} is a folder; give a file`);
    throw new Unusable(`${path} cannot be read: ${message}`);
  }
}
