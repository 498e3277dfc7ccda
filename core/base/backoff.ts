/** How long to wait between attempts that fail. */
export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * The wait before the next attempt: the base doubled per failure, never above the cap, and spread over its upper half so
 * that many who failed together do not come back together. `failures` counts from 1; `chance` is in [0, 1).
 */
export function backoffMs(backoff: Backoff, failures: number, chance: number): number {
  const doubled = backoff.baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30);
  const full = Math.min(doubled, backoff.capMs);
  return Math.round(full / 2 + (full / 2) * chance);
}
