import { AsyncLocalStorage } from 'node:async_hooks';
import { parseDurationMs } from '#core/base/duration.ts';

/** One call of a task in a test, and whether its code is at work. */
export interface TestCall {
  readonly clock: { readonly after: (delayMs: number, call: () => void) => () => void };
  readonly signal: AbortSignal;
  /** It waits for virtual time, which may pass. */
  nap(): void;
  /** It is at work again: no time passes. */
  wake(): void;
}

const calls = new AsyncLocalStorage<TestCall>();

export function withinCall<T>(call: TestCall, work: () => T): T {
  return calls.run(call, work);
}

/**
 * Lets virtual time pass within a task of a test: `await sleep('10m')`. Rejects with the signal's reason when the task
 * shall stop before. Throws outside a task.
 */
export async function sleep(duration: string | number): Promise<void> {
  const call = calls.getStore();
  if (call === undefined)
    throw new Error('sleep() passes virtual time: it can only be called in a task of a tested workflow');
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = call.clock.after(msOf(duration), () => resolve(undefined));
  const abort = (): void => reject(call.signal.reason as Error);
  call.signal.addEventListener('abort', abort, { once: true });
  if (call.signal.aborted) abort();
  call.nap();
  try {
    await promise;
  } finally {
    stop();
    call.signal.removeEventListener('abort', abort);
    call.wake();
  }
}

/** Milliseconds of `'1h30m'`, or of a number of milliseconds. Throws RangeError. */
export function msOf(duration: string | number): number {
  const ms = typeof duration === 'number' ? duration : parseDurationMs(duration);
  if (ms !== undefined && ms >= 0) return ms;
  throw new RangeError(`${duration} is no duration; give 90s, 10m, 1h30m, or a number of milliseconds`);
}
