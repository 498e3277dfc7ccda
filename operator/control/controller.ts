import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import { isKubeError } from '#io/kube/kube-error.ts';
import { WorkQueue } from './work-queue.ts';

/** When to look at the key again although nothing changes. */
export interface Requeue {
  readonly requeueAfterMs?: number;
}

/** Makes the world match one object at a time. A key is `namespace/name`; the object may be gone. */
export interface Controller {
  readonly name: string;
  /**
   * One pass over one object. May be called at any time, any number of times, never twice at once for one key. A
   * rejection brings the key back by itself. `signal` aborts when we may no longer act.
   */
  reconcile(key: string, signal: AbortSignal): Promise<Requeue | undefined>;
}

export interface RunningController {
  /** Asks for a pass over the object; cheap, and harmless when repeated. */
  enqueue(key: string): void;
  /** Begins no further pass; resolves when the current ones have ended. */
  close(): Promise<void>;
}

export interface ControllerOptions {
  readonly concurrency: number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Default: those of the process. */
  readonly timers?: Timers;
}

/** Runs a controller until it is closed. Nothing that a pass does can stop the others. */
export function runController(controller: Controller, options: ControllerOptions): RunningController {
  const { concurrency, log, signal, timers } = options;
  const queue = new WorkQueue({
    concurrency,
    ...(timers === undefined ? {} : { timers }),
    work: async (key) => {
      if (signal.aborted) return;
      const { requeueAfterMs } = (await controller.reconcile(key, signal)) ?? {};
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    },
    onFailure: (key, error, { failures, waitMs }) => {
      if (signal.aborted) return;
      const fields = { controller: controller.name, key, failures, waitMs, err: error };
      // A conflict says that someone newer spoke: look again, and no more about it.
      if (isKubeError(error, 'Conflict')) log.debug(fields, 'the object changed meanwhile; looking again');
      else log.warn(fields, 'a pass failed; trying again');
    },
  });
  return {
    enqueue: (key) => queue.add(key),
    close: () => queue.close(),
  };
}
