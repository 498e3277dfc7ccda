import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { Workflow, WorkflowSpec } from '#core/resources/workflow.ts';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { statusOf, verdictStatus, waitingVerdict, type StatusContext } from '#core/workflow/status.ts';
import { resources } from '#io/kube/resource.ts';
import type { OpenConnection } from '../connections/connection-state.ts';
import type { Controller, Requeue } from '../control/controller.ts';
import type { RunDriver } from '../runs/run-driver.ts';
import type { RunEngine } from '../runs/run-engine.ts';
import type { ControllerDeps } from './controller-deps.ts';
import { expireIfDue } from './workflow-expiry.ts';
import { runSettingsOf } from '../runs/run-settings-of.ts';
import { plannedWorkflow, type PlannedWorkflow } from './workflow-plan.ts';
import { runRouter, type NamespaceRoutes } from './workflow-router.ts';
import type { WorkflowStatusWriter } from './workflow-status-writer.ts';

/** A Workflow that waits for something else is looked at again after this long, if nothing wakes it before. */
const waitMs = 5_000;

export interface WorkflowControllerDeps extends ControllerDeps {
  readonly writer: WorkflowStatusWriter;
  readonly routesOf: (namespace: string) => NamespaceRoutes;
  /** Asks for a pass over a Workflow. */
  readonly enqueue: (key: string) => void;
}

/** Where a Workflow's run is, or why it cannot begin yet. */
type Found =
  | { readonly engine: RunEngine; readonly connection: OpenConnection }
  | { readonly reason: WorkflowReason; readonly message: string; readonly againMs: number };

/** Begins runs, shows how they stand, and ends them. The engine drives them in between. */
export class WorkflowController implements Controller {
  readonly name = 'workflow';
  readonly #deps: WorkflowControllerDeps;
  /** UIDs of what this term began, by key: a Workflow that is gone has no UID to ask for. */
  readonly #begun = new Map<string, string>();

  constructor(deps: WorkflowControllerDeps) {
    this.#deps = deps;
  }

  async reconcile(key: string): Promise<Requeue | undefined> {
    const workflow = this.#deps.reflectors.workflows.get(key);
    await this.#dropPredecessor(key, workflow);
    if (workflow === undefined || workflow.metadata.deletionTimestamp !== undefined) return undefined;
    const driver = this.#driverOf(workflow);
    if (workflow.status?.finishedAt !== undefined) return this.#close(workflow, driver);
    const isShown = driver !== undefined && workflow.status?.home !== undefined;
    return isShown ? this.#show(workflow, driver) : this.#begin(key, workflow);
  }

  /** The Workflow of this name is gone, or is another one now: what the first began is withdrawn. */
  async #dropPredecessor(key: string, workflow: Workflow | undefined): Promise<void> {
    const uid = this.#begun.get(key);
    const isGone = workflow?.metadata.uid !== uid || workflow?.metadata.deletionTimestamp !== undefined;
    if (uid === undefined || !isGone) return;
    for (const engine of this.#deps.homes.engines()) {
      const driver = engine.find(uid);
      if (driver !== undefined) await engine.withdraw(driver);
    }
    this.#deps.writer.forget(uid);
    this.#begun.delete(key);
  }

  async #close(workflow: Workflow, driver: RunDriver | undefined): Promise<Requeue | undefined> {
    const engine = this.#deps.homes.engines().find((each) => each.find(workflow.metadata.uid) === driver);
    if (driver !== undefined && engine !== undefined) await engine.end(driver);
    this.#deps.writer.forget(workflow.metadata.uid);
    return expireIfDue(workflow, this.#deps);
  }

  async #begin(key: string, workflow: Workflow): Promise<Requeue | undefined> {
    const planned = plannedWorkflow(workflow);
    if (!planned.ok) return this.#refuse(workflow, planned.error);
    if (planned.value.firstTask === undefined) return this.#finishEmpty(workflow, planned.value);
    const home = this.#homeOf(workflow, planned.value);
    if ('reason' in home) {
      await this.#wait(workflow, home.reason, home.message);
      return { requeueAfterMs: home.againMs };
    }
    const driver = await home.engine.begin({
      uid: workflow.metadata.uid,
      plan: planned.value.plan,
      digest: planned.value.digest,
      router: this.#routerFor(workflow, planned.value, home.connection),
      settings: runSettingsOf(workflow, planned.value.spec),
      mustExist: workflow.status?.home !== undefined,
      onChange: () => this.#deps.enqueue(key),
    });
    if (driver === undefined) return this.#tellLoss(workflow);
    this.#begun.set(key, workflow.metadata.uid);
    // Home, run and round stand in status before the first message of a round: one write a round.
    if (workflow.status?.home === undefined) {
      const { ref, resultsRunId } = home.connection;
      const status = { ...this.#statusOf(workflow, driver), home: { connection: ref.name, runId: resultsRunId } };
      await this.#deps.writer.write(workflow, status);
    }
    driver.release();
    return undefined;
  }

  async #show(workflow: Workflow, driver: RunDriver): Promise<Requeue | undefined> {
    driver.release();
    driver.configure(runSettingsOf(workflow, workflow.spec as WorkflowSpec));
    const restMs = this.#deps.writer.restMs(workflow.metadata.uid);
    if (restMs > 0 && driver.isGoingOn) return { requeueAfterMs: restMs };
    const status = this.#statusOf(workflow, driver);
    // Nobody is told of an end before its result can be read.
    if (status.finishedAt !== undefined && driver.stopped === undefined && !driver.isConcluded) return undefined;
    const again = await this.#deps.writer.writeIfDue(workflow, status);
    if (status.finishedAt !== undefined) this.#tellEnd(workflow, status);
    return again;
  }

  #tellEnd(workflow: Workflow, status: WorkflowStatus): void {
    const condition = status.conditions?.[0];
    if (condition?.status !== 'False') return;
    const note = { resource: resources.workflows, regarding: workflow, type: 'Warning', action: 'Run' } as const;
    // Of an error only its type: its message may hold what a user passed, and events are read by many.
    const [first] = status.failures ?? [];
    const message =
      first === undefined ? condition.message : `${first.path}: task ${first.task ?? ''} failed with ${first.type}`;
    this.#deps.events.recordEvent({ ...note, reason: condition.reason, message });
  }

  #homeOf(workflow: Workflow, { firstTask, spec: { defaultQueue } }: PlannedWorkflow): Found {
    const { namespace } = workflow.metadata;
    const name = workflow.status?.home?.connection ?? this.#firstConnection(namespace, firstTask, defaultQueue);
    if (typeof name !== 'string') return { ...name, againMs: waitMs };
    const state = this.#deps.connections.get({ namespace, name });
    if (state.state === 'Failed') {
      const message = `connection ${name}: ${state.failure.message}`;
      return { reason: 'ConnectionNotReady', message, againMs: waitMs };
    }
    if (state.state === 'Opening') {
      return { reason: 'Pending', message: `connection ${name} is being opened`, againMs: 1_000 };
    }
    const home = this.#deps.homes.get(state.connection);
    if ('waiting' in home) return { reason: 'Pending', message: home.waiting, againMs: 1_000 };
    return { engine: home.engine, connection: state.connection };
  }

  #firstConnection(
    namespace: string,
    task: PlannedWorkflow['firstTask'],
    defaultQueue: string | undefined,
  ): string | { readonly reason: WorkflowReason; readonly message: string } {
    const found = this.#deps.routesOf(namespace).find({ task: task?.task ?? '', queue: task?.queue, defaultQueue });
    if ('queue' in found) return found.queue.connection;
    return { reason: found.reason as WorkflowReason, message: `${task?.path ?? 'spec'}: ${found.message}` };
  }

  #routerFor(workflow: Workflow, { spec: { defaultQueue } }: PlannedWorkflow, home: OpenConnection) {
    const { namespace } = workflow.metadata;
    return runRouter({
      routes: () => this.#deps.routesOf(namespace),
      defaultQueue,
      home,
      connectionNamed: (name) => {
        const state = this.#deps.connections.get({ namespace, name });
        return state.state === 'Ready' ? state.connection : undefined;
      },
    });
  }

  async #refuse(workflow: Workflow, message: string): Promise<undefined> {
    const status = verdictStatus(waitingVerdict('Invalid', message), this.#context(workflow), undefined);
    await this.#deps.writer.write(workflow, status);
    this.#tellEnd(workflow, status);
    return undefined;
  }

  /** Nothing is left of a run that had begun: to begin it again would call its tasks a second time, unasked. */
  async #tellLoss(workflow: Workflow): Promise<undefined> {
    const { home, progress } = workflow.status ?? {};
    const message =
      `the Redis of connection ${home?.connection ?? ''} lost the run, last seen at ${progress ?? 'its beginning'}; ` +
      'create the Workflow anew to run it again';
    const begunAtMs = Date.parse(workflow.status?.startedAt ?? '') || undefined;
    const status = verdictStatus(waitingVerdict('DataLost', message), this.#context(workflow), begunAtMs);
    await this.#deps.writer.write(workflow, status);
    this.#tellEnd(workflow, status);
    return undefined;
  }

  async #wait(workflow: Workflow, reason: WorkflowReason, message: string): Promise<void> {
    // A moment's wait for what opens is not worth a write.
    if (reason === 'Pending' && workflow.status?.state === undefined) return;
    const status = verdictStatus(waitingVerdict(reason, message), this.#context(workflow), undefined);
    await this.#deps.writer.writeIfDue(workflow, status);
  }

  /** A canvas without tasks has no home: its outcome follows from what was written alone. */
  async #finishEmpty(workflow: Workflow, { plan }: PlannedWorkflow): Promise<undefined> {
    const begunAtMs = this.#deps.nowMs();
    const state = initialState(begunAtMs);
    const evaluation = evaluate(plan, state, { nowTicks: 0, judge: () => 'Holds' });
    const identity = { uid: workflow.metadata.uid, run48: '000000000000', round: 0, roundsAt: [] };
    const view = { plan, state, evaluation };
    const report = { identity, view, rev: 0, begunAtMs, suspended: false, reports: new Map<number, never>() };
    const { run: _run, resultTaskId: _id, ...status } = statusOf(report, this.#context(workflow));
    await this.#deps.writer.write(workflow, status);
    return undefined;
  }

  #statusOf(workflow: Workflow, { run, stopped, trouble }: RunDriver): WorkflowStatus {
    const { identity, view, rev, begunAtMs, blocked, reports, settings } = run;
    const path = blocked === undefined ? '' : (run.plan.steps[blocked.step]?.path ?? 'spec');
    return statusOf(
      {
        identity,
        view,
        rev,
        begunAtMs,
        reports,
        suspended: settings.suspended,
        trouble,
        stopped: stopped?.reason === 'Deleted' ? undefined : (stopped as { reason: WorkflowReason; message: string }),
        blocked: blocked && { path, reason: blocked.reason as WorkflowReason, message: blocked.message },
      },
      this.#context(workflow),
    );
  }

  #context({ metadata, status }: Workflow): StatusContext {
    const { nowMs, config } = this.#deps;
    return {
      generation: metadata.generation,
      nowMs: nowMs(),
      timeText: (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z'),
      previous: status,
      showResult: config.showResults,
    };
  }

  #driverOf({ metadata }: Workflow): RunDriver | undefined {
    for (const engine of this.#deps.homes.engines()) {
      const driver = engine.find(metadata.uid);
      if (driver !== undefined) return driver;
    }
    return undefined;
  }
}
