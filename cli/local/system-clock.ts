import type { Clock } from '#operator/runs/run-ports.ts';

/** The longest that a timer of Node can wait. */
const longestTimerMs = 2 ** 31 - 1;

/** The clock of this process. */
export const systemClock: Clock = {
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
  soon: (call) => {
    setImmediate(call);
  },
};
