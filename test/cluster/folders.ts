import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quoted } from './command.ts';

/** Where this repository lies. */
export const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What may be thrown away and made again: `$XDG_CACHE_HOME/arpeggio`, by default `~/.cache/arpeggio`. */
export function cacheFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'arpeggio');
}

/** Everything about the one cluster `npm run cluster` keeps: `ARPEGGIO_CLUSTER_DIR`, by default `cluster` in the cache. */
export function clusterFolder(): string {
  const own = process.env['ARPEGGIO_CLUSTER_DIR'];
  return own === undefined || own === '' ? join(cacheFolder(), 'cluster') : resolve(own);
}

/** `npm run cluster -- down`, say, as it has to be typed for that cluster: a folder of its own must be named each time. */
export function clusterCommand(command: string): string {
  const own = process.env['ARPEGGIO_CLUSTER_DIR'];
  const which = own === undefined || own === '' ? '' : `ARPEGGIO_CLUSTER_DIR=${quoted(clusterFolder())} `;
  return `${which}npm run cluster -- ${command}`;
}
