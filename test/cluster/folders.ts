import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

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
