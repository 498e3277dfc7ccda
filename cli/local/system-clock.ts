import type { Clock } from '#operator/runs/run-ports.ts';

/** The longest that a timer of Node can wait. */
const longestTimerMs = 2 ** 31 - 1;

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
      const nowMs = Math.min(restMs, longestTimerMs);
      timer = setTimeout(() => (restMs > nowMs ? wait(restMs - nowMs) : call()), nowMs);
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
