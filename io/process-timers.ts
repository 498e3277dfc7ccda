import type { Timers } from '#core/base/timers.ts';

/** The longest that a timer of Node can wait, which is some 24 days. */
const longestTimerMs = 2 ** 31 - 1;

/** The timers of this process. A delay may be of any length. */
export const processTimers: Timers = {
  nowMs: () => performance.now(),
  after: (delayMs, call) => {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number): void => {
      const partMs = Math.min(restMs, longestTimerMs);
      timer = setTimeout(() => (restMs > partMs ? wait(restMs - partMs) : call()), partMs);
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  chance: () => Math.random(),
};

/** Resolves after a time; rejects with the signal's reason when it aborts before. */
export function rest(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stop();
      reject(signal.reason as Error);
    };
    const stop = timers.after(delayMs, () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
