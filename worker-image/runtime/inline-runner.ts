import type { Outcome } from '#core/execution/outcome.ts';
import type { TaskCall } from '../tasks/call.ts';
import type { Registry } from '../tasks/registry.ts';
import { runCall } from '../tasks/run-call.ts';
import type { CallRunner, CallSupport } from './call-runner.ts';

/** Runs calls in this thread, beside one another: for functions that mostly wait. */
export class InlineRunner implements CallRunner {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  run(call: TaskCall, support: CallSupport): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    // The code itself cannot be ended here; what it still does has no effect any more.
    support.onCut(() => resolve({ kind: 'Lost', message: 'its time was over' }));
    support.begin();
    const ended = runCall(this.#registry, call, {
      updateState: (state, metaText) => support.updateState(state, metaText),
      log: (level, message, fields) => support.log(level, message, fields),
      signal: () => support.signal,
    });
    void ended.then(resolve);
    return promise;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
