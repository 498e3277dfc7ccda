import { longestTimerMs } from '#io/process-timers.ts';
import type { Clock } from '#operator/runs/run-ports.ts';

/** The clock of this process; `gatherMs` says how long what arrives is gathered before it is looked at. */
export function systemClock(gatherMs: () => number): Clock {
  return {
    ...processClock,
    soon: (call) => {
      const waitMs = gatherMs();
      if (waitMs < 1) setImmediate(call);
      else setTimeout(call, waitMs);
    },
  };
}

const processClock: Omit<Clock, 'soon'> = {
  nowMs: () => Date.now(),
  after: (delayMs, call) => {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number): void => {
      const partMs = Math.min(restMs, longestTimerMs);
      timer = setTimeout(() => (restMs > partMs ? wait(restMs - partMs) : call()), partMs);
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
