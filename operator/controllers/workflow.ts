import type { Workflow } from '#core/resources/workflow.ts';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { decodeCheckpoint } from '#core/workflow/checkpoint.ts';
import { slotBytes } from '#core/workflow/slots.ts';
import type { OpenConnection } from '../connections/connection-state.ts';
import type { Controller, Requeue } from '../control/controller.ts';
import { NotBegun } from '../runs/not-begun.ts';
import type { ShownRun } from '../runs/recovery.ts';
import type { RunDriver } from '../runs/run-driver.ts';
import type { RunEngine } from '../runs/run-engine.ts';
import { BegunRuns } from './begun-runs.ts';
import type { ControllerDeps } from './controller-deps.ts';
import { WorkflowEvents } from './workflow-events.ts';
import { expireIfDue } from './workflow-expiry.ts';
import { homeOf, routerFor, type FoundHome, type HomeDeps } from './workflow-home.ts';
import { plannedWorkflow, type PlannedWorkflow } from './workflow-plan.ts';
import { completed, emptyStatus, runStatus, unbegunStatus, waitingStatus } from './workflow-report.ts';
import { isAskedInVain, isLive, settingsOf } from './workflow-settings.ts';
import type { WorkflowStatusWriter } from './workflow-status-writer.ts';

/** A run that another operator has is asked for again after this long, should this one lead after all. */
const beginAgainMs = 1_000;

/** A turn of a run is written in about so long. */
const acknowledgedMs = 50;

export interface WorkflowControllerDeps extends ControllerDeps, HomeDeps {
  readonly writer: WorkflowStatusWriter;
  /** Asks for a pass over a Workflow. */
  readonly enqueue: (key: string) => void;
}

/** Begins runs, hands on what is asked of them, shows how they stand, and ends them. The engine drives them in between. */
export class WorkflowController implements Controller {
  readonly name = 'workflow';
  readonly #deps: WorkflowControllerDeps;
  readonly #events: WorkflowEvents;
  readonly #begun: BegunRuns;

  constructor(deps: WorkflowControllerDeps) {
    this.#deps = deps;
    this.#events = new WorkflowEvents(deps.events);
    this.#begun = new BegunRuns(deps);
  }

  async reconcile(key: string): Promise<Requeue | undefined> {
    const workflow = this.#deps.reflectors.workflows.get(key);
    await this.#begun.dropPredecessor(key, workflow);
    if (workflow === undefined || workflow.metadata.deletionTimestamp !== undefined) return undefined;
    const driver = this.#begun.driverOf(workflow.metadata.uid)?.driver;
    if (!isLive(workflow)) return this.#close(workflow);
    const isShown = driver !== undefined && workflow.status?.home !== undefined;
    return isShown ? this.#show(key, workflow, driver) : this.#begin(key, workflow);
  }

  async #close(workflow: Workflow): Promise<Requeue | undefined> {
    const isNews = workflow.status?.observedGeneration !== workflow.metadata.generation;
    if (isNews && isAskedInVain(workflow)) this.#events.tellAskedInVain(workflow);
    await this.#deps.writer.observe(workflow);
    await this.#begun.end(workflow.metadata.uid);
    return expireIfDue(workflow, this.#deps);
  }

  async #begin(key: string, workflow: Workflow): Promise<Requeue | undefined> {
    const planned = plannedWorkflow(workflow);
    if (!planned.ok) return this.#finish(workflow, waitingStatus(workflow, refusal(planned.error), this.#deps));
    const { plan, firstTask } = planned.value;
    if (firstTask === undefined) return this.#finish(workflow, emptyStatus(workflow, plan, this.#deps));
    const home = homeOf(workflow, planned.value, this.#deps);
    if ('reason' in home) return this.#wait(workflow, home);
    const driver = await this.#take(key, workflow, { planned: planned.value, ...home });
    if (driver === 'Later') return { requeueAfterMs: beginAgainMs };
    if (driver === undefined) return this.#finish(workflow, waitingStatus(workflow, loss(workflow), this.#deps));
    return this.#start(key, workflow, { driver, connection: home.connection });
  }

  async #start(
    key: string,
    workflow: Workflow,
    { driver, connection }: { readonly driver: RunDriver; readonly connection: OpenConnection },
  ): Promise<Requeue | undefined> {
    this.#begun.note(key, { run: driver.run.key, home: connection.ref, lost: workflow.status?.lost });
    const { settings, view } = driver.run;
    if (settings.cancel && view.state.cancelled === '') this.#events.tellCancel(workflow, view.evaluation);
    // A home never moves: a server put in another's place is told by its data, not by its name.
    const newHome = workflow.status?.home === undefined ? connection : undefined;
    const wasWritten = await this.#noteRound(key, workflow, driver, newHome);
    return wasWritten ? undefined : this.#show(key, workflow, driver);
  }

  async #take(
    key: string,
    workflow: Workflow,
    at: { readonly planned: PlannedWorkflow; readonly engine: RunEngine; readonly connection: OpenConnection },
  ): Promise<RunDriver | 'Later' | undefined> {
    const { uid } = workflow.metadata;
    const { plan, digest } = at.planned;
    const order = {
      ...{ uid, plan, digest, notesRounds: true },
      router: routerFor(workflow, at.planned, at.connection, this.#deps),
      settings: settingsOf(workflow),
      shown: shownRun(workflow),
      remembered: this.#deps.homes.rememberedRun(uid),
      onChange: () => this.#deps.enqueue(key),
    };
    try {
      return await at.engine.begin(order);
    } catch (error) {
      if (!(error instanceof NotBegun)) throw error;
      this.#deps.log.info({ workflow: key, why: error.message }, 'the run was not begun; trying again');
      return 'Later';
    }
  }

  async #show(key: string, workflow: Workflow, driver: RunDriver): Promise<Requeue | undefined> {
    this.#configure(workflow, driver);
    // Nobody is told of what is still to be acknowledged: it may be refused to an operator that leads no more.
    if (driver.run.isAhead) return { requeueAfterMs: acknowledgedMs };
    if (await this.#noteRound(key, workflow, driver)) return undefined;
    const slots = driver.run.view.state.slots.length / slotBytes;
    const restMs = this.#deps.writer.restMs(workflow.metadata.uid, slots);
    if (restMs > 0 && driver.isGoingOn) return { requeueAfterMs: restMs };
    const status = this.#statusOf(key, workflow, driver);
    if (status.finishedAt !== undefined && !hasEnded(driver)) return undefined;
    const { again, written } = await this.#deps.writer.writeIfDue(workflow, status, () => completed(status, driver));
    if (written) this.#events.tellChange(workflow, status);
    return again;
  }

  #configure(workflow: Workflow, driver: RunDriver): void {
    const settings = settingsOf(workflow);
    if (settings.cancel && !driver.run.settings.cancel && driver.isGoingOn)
      this.#events.tellCancel(workflow, driver.run.view.evaluation);
    driver.configure(settings);
  }

  /**
   * Home, run and round stand in status before the first message of a round: one write a round. Answers whether it was
   * written, and lets the round begin.
   */
  async #noteRound(key: string, workflow: Workflow, driver: RunDriver, home?: OpenConnection): Promise<boolean> {
    const { round } = driver.run.identity;
    const next = isRoundNoted(workflow, round) ? undefined : this.#statusOf(key, workflow, driver);
    // A round that has ended already sends nothing, and is told as usual, when its result can be read.
    const isWritten = next !== undefined && (home !== undefined || next.finishedAt === undefined);
    if (isWritten) {
      const where = home === undefined ? {} : { home: { connection: home.ref.name, runId: home.resultsRunId } };
      await this.#deps.writer.write(workflow, { ...completed(next, driver), ...where });
      this.#events.tellChange(workflow, next);
    }
    driver.release(round);
    return isWritten;
  }

  /** Of a Workflow that gets no run, or has lost it. */
  async #finish(workflow: Workflow, status: WorkflowStatus): Promise<undefined> {
    await this.#deps.writer.write(workflow, status);
    this.#events.tellChange(workflow, status);
    return undefined;
  }

  async #wait(workflow: Workflow, why: Extract<FoundHome, { readonly reason: unknown }>): Promise<Requeue | undefined> {
    const { state, home, finishedAt } = workflow.status ?? {};
    const again = { requeueAfterMs: why.againMs };
    // A moment's wait for what opens is not worth a write; an end that is to be followed by another round stays one till then.
    if (finishedAt !== undefined || (why.reason === 'Pending' && (state === undefined || home !== undefined)))
      return again;
    const end = home === undefined ? unbegunStatus(workflow, why, this.#deps) : undefined;
    if (end !== undefined) return this.#finish(workflow, end);
    const status = waitingStatus(workflow, why, this.#deps);
    await this.#deps.writer.writeIfDue(workflow, status, () => status);
    return again;
  }

  #statusOf(key: string, workflow: Workflow, driver: RunDriver): WorkflowStatus {
    return runStatus(workflow, driver, this.#begun.lostBefore(key), this.#deps);
  }
}

/** Nobody is told of an end before its result can be read, nor of one that another round follows. */
function hasEnded(driver: RunDriver): boolean {
  return driver.stopped !== undefined || (driver.isConcluded && !driver.run.mayTryAgain);
}

function isRoundNoted({ status }: Workflow, round: number): boolean {
  // A greater one is noted by an operator that knows more: two that lead at once must not undo each other's notes.
  return status?.home !== undefined && (status.round ?? -1) >= round;
}

/** What status tells of a run that has begun. */
function shownRun({ metadata, status }: Workflow): ShownRun | undefined {
  if (status?.home === undefined) return undefined;
  const { run = '', rev = 0, round = 0, running = 0, checkpoint } = status;
  return {
    ...{ run48: run, rev, round, running },
    checkpoint: checkpoint === undefined ? undefined : decodeCheckpoint(checkpoint, metadata.uid),
  };
}

function refusal(message: string) {
  return { reason: 'Invalid', message } as const;
}

/** To begin a run anew of which nothing is known would call its tasks a second time, unasked. */
function loss({ status }: Workflow) {
  const message =
    `the Redis of connection ${status?.home?.connection ?? ''} lost the run, last seen at ${status?.progress ?? 'its beginning'}, ` +
    'and status has no checkpoint of it; create the Workflow anew to run it again';
  return { reason: 'DataLost', message } as const;
}
