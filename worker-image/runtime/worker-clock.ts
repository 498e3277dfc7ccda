import type { Timers } from '#core/base/timers.ts';

/** Time as a worker sees it. */
export interface WorkerClock {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Calls once, after at least so long; the returned function takes it back. */
  readonly after: Timers['after'];
}

/** Resolves after at least so long. */
export function pause({ after }: Pick<WorkerClock, 'after'>, delayMs: number): Promise<void> {
  return new Promise((resolve) => after(delayMs, resolve));
}
