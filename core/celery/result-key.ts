import { resultKeyPrefix } from './result-meta.ts';

/**
 * The prefix of every result key under a connection's `resultKeyPrefix`: Celery puts `_` behind a global prefix that does
 * not end in one of `: _ - .` itself.
 */
export function resultKeyPrefixUnder(globalPrefix: string): string {
  const joint = globalPrefix === '' || /[:_.-]$/.test(globalPrefix) ? '' : '_';
  return `${globalPrefix}${joint}${resultKeyPrefix}`;
}
