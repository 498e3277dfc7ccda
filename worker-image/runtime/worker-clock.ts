import type { Timers } from '#core/base/timers.ts';

/** Time as a worker sees it. */
export interface WorkerClock {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Calls once, after at least so long; the returned function takes it back. Default: the timers of the process. */
  readonly after?: Timers['after'];
}
