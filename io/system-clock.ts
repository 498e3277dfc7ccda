import type { Timers } from '#core/base/timers.ts';
import { processTimers } from './process-timers.ts';

/** The time of this machine, for whoever takes a clock. */
export interface SystemClock {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly after: Timers['after'];
  /** Calls once, when what has already arrived was looked at. */
  readonly soon: (call: () => void) => void;
}

export const systemClock: SystemClock = {
  nowMs: () => Date.now(),
  after: (delayMs, call) => processTimers.after(delayMs, call),
  soon: (call) => setImmediate(call),
};
