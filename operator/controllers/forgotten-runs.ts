import type { Workflow } from '#core/resources/workflow.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import type { ConnectionRef } from '../connections/connection-state.ts';
import type { RunEngine } from '../runs/run-engine.ts';
import type { ControllerDeps } from './controller-deps.ts';
import { queuesOf, wireNameOf } from '../observed/routed-queue.ts';
import { isLive } from './workflow-settings.ts';

/** Looked for again after so many sweeps of an engine, about every five minutes. */
const sweepsBetween = 60;

/**
 * Ends runs that a home knows and that no live Workflow stands for: deleted, or shown to the end, while nobody looked.
 * Looks when a home opens, after a Workflow was deleted, for its run may be one that this term never took up, and now and
 * then; again with the next sweep after a failure.
 */
export class ForgottenRuns {
  readonly #deps: Pick<ControllerDeps, 'reflectors' | 'log'>;
  readonly #sweepsLeft = new Map<RunEngine, { readonly ref: ConnectionRef; sweeps: number }>();

  constructor(deps: Pick<ControllerDeps, 'reflectors' | 'log'>) {
    this.#deps = deps;
  }

  watch(ref: ConnectionRef, engine: RunEngine): void {
    const watched = { ref, sweeps: 0 };
    this.#sweepsLeft.set(engine, watched);
    engine.onSwept(() => {
      watched.sweeps -= 1;
      if (watched.sweeps <= 0) void this.#look(engine, watched);
    });
    void this.#look(engine, watched);
  }

  /** A Workflow of the namespace is gone: with the next sweep what is left of it is looked for. */
  lookAgain(namespace: string): void {
    for (const watched of this.#sweepsLeft.values()) if (watched.ref.namespace === namespace) watched.sweeps = 0;
  }

  async #look(engine: RunEngine, watched: { readonly ref: ConnectionRef; sweeps: number }): Promise<void> {
    watched.sweeps = sweepsBetween;
    try {
      await this.#end(engine, watched.ref);
    } catch (error) {
      watched.sweeps = 0;
      this.#deps.log.warn({ err: error }, 'could not look for runs whose Workflows are gone; trying again');
    }
  }

  async #end(engine: RunEngine, ref: ConnectionRef): Promise<void> {
    const { reflectors, log } = this.#deps;
    const registered = await engine.registered();
    // Asked for afterwards: a run that begins meanwhile has its Workflow here before it is registered there.
    const missing = missingFrom(reflectors.workflows.list(), registered);
    if (missing.length === 0) return;
    // The copy may lag behind a leader that is not gone yet: a live run would lose its messages.
    const known = missingFrom(await reflectors.workflows.listAfresh(), missing);
    const forgotten = known.filter(({ uid }) => engine.find(uid) === undefined);
    const queues = [...new Set(queuesOf(reflectors, ref).map(wireNameOf))];
    for (const run of forgotten) await engine.endForgotten(run, queues);
    if (forgotten.length > 0)
      log.info({ runs: forgotten.length }, 'took back what runs had left whose Workflows are gone');
  }
}

function missingFrom(workflows: readonly Workflow[], runs: readonly RunKey[]): readonly RunKey[] {
  const live = new Set(workflows.filter(isLive).map(({ metadata }) => metadata.uid));
  return runs.filter(({ uid }) => !live.has(uid));
}
