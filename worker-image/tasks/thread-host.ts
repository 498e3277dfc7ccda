import type { CallHost } from './call.ts';
import { stopError, type StopReason } from './stop-error.ts';
import type { FromTaskThread } from './thread-message.ts';

/** One call's end of the line to the worker's main thread. */
export interface ThreadHost {
  readonly host: CallHost;
  abort(reason: StopReason): void;
  /** The main thread has stored that state, or never will. */
  stored(state: number): void;
  /** The call has ended: nobody answers any more. */
  end(): void;
}

export function openThreadHost(n: number, tell: (message: FromTaskThread) => void): ThreadHost {
  // Made when they are asked for: most tasks never do.
  let controller: AbortController | undefined;
  let stopped: StopReason | undefined;
  let storing: Map<number, () => void> | undefined;
  let states = 0;
  let hasEnded = false;
  return {
    host: {
      updateState(name, metaText) {
        if (hasEnded) return Promise.resolve();
        const { promise, resolve } = Promise.withResolvers<undefined>();
        states += 1;
        storing ??= new Map();
        storing.set(states, () => resolve(undefined));
        tell({ kind: 'State', n, state: states, name, metaText });
        return promise;
      },
      log: (level, message, fields) => tell({ kind: 'Log', n, level, message, fields: cloneable(fields) }),
      signal() {
        if (controller === undefined) {
          controller = new AbortController();
          if (stopped !== undefined) controller.abort(stopError(stopped));
        }
        return controller.signal;
      },
    },
    abort(reason) {
      stopped ??= reason;
      controller?.abort(stopError(stopped));
    },
    stored(state) {
      storing?.get(state)?.();
      storing?.delete(state);
    },
    end() {
      hasEnded = true;
      for (const resolve of storing?.values() ?? []) resolve();
      storing?.clear();
    },
  };
}

/** What cannot cross to another thread is shown as text. */
function cloneable(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return structuredClone(fields);
  } catch {
    return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]));
  }
}
