import type { Workflow } from '#core/resources/workflow.ts';
import type { LostStatus } from '#core/resources/workflow-status.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import type { ConnectionRef } from '../connections/connection-state.ts';
import { queuesOf, wireNameOf } from '../observed/routed-queue.ts';
import type { RunDriver } from '../runs/run-driver.ts';
import type { RunEngine } from '../runs/run-engine.ts';
import type { ControllerDeps } from './controller-deps.ts';
import type { WorkflowStatusWriter } from './workflow-status-writer.ts';

/** What this term took up. */
interface Begun {
  readonly run: RunKey;
  /** Where its run is. */
  readonly home: ConnectionRef;
  /** What had been lost of the run before. */
  readonly lost: LostStatus | undefined;
}

type BegunDeps = Pick<ControllerDeps, 'connections' | 'homes' | 'reflectors'> & {
  readonly writer: Pick<WorkflowStatusWriter, 'forget'>;
};

/** The runs that this term took up, and how they are let go. */
export class BegunRuns {
  readonly #deps: BegunDeps;
  /** By key: a Workflow that is gone has no UID to ask for. */
  readonly #begun = new Map<string, Begun>();

  constructor(deps: BegunDeps) {
    this.#deps = deps;
  }

  note(key: string, begun: Begun): void {
    this.#begun.set(key, begun);
    this.#deps.homes.forgetRun(begun.run.uid);
  }

  /** What had been lost of the run before this term took it up. */
  lostBefore(key: string): LostStatus | undefined {
    return this.#begun.get(key)?.lost;
  }

  /** What drives the run of a Workflow; undefined where nothing does. */
  driverOf(uid: string): { readonly driver: RunDriver; readonly engine: RunEngine } | undefined {
    for (const engine of this.#deps.homes.engines()) {
      const driver = engine.find(uid);
      if (driver !== undefined) return { driver, engine };
    }
    return undefined;
  }

  /** Of a Workflow that has ended: nothing drives its run any more. */
  async end(uid: string): Promise<void> {
    const found = this.driverOf(uid);
    if (found !== undefined) await found.engine.end(found.driver);
    this.#forget(uid);
  }

  /** The Workflow of this name is gone, or is another one now: what the first began is withdrawn. */
  async dropPredecessor(key: string, workflow: Workflow | undefined): Promise<void> {
    const begun = this.#begun.get(key);
    const isGone = workflow?.metadata.uid !== begun?.run.uid || workflow?.metadata.deletionTimestamp !== undefined;
    if (begun === undefined || !isGone) return;
    const found = this.driverOf(begun.run.uid);
    if (found === undefined) await this.#endUndriven(begun);
    else await found.engine.withdraw(found.driver);
    this.#forget(begun.run.uid);
    this.#begun.delete(key);
  }

  /** Its engine is another one by now, and has not taken it up; one that is yet to open looks for such runs by itself. */
  async #endUndriven({ run, home }: Begun): Promise<void> {
    const { connections, homes, reflectors } = this.#deps;
    const state = connections.get(home);
    const opened = state.state === 'Ready' ? homes.get(state.connection) : undefined;
    if (opened === undefined || 'waiting' in opened) return;
    await opened.engine.endForgotten(run, queuesOf(reflectors, home).map(wireNameOf));
  }

  #forget(uid: string): void {
    this.#deps.writer.forget(uid);
    this.#deps.homes.forgetRun(uid);
  }
}
