import type { Plan } from '#core/canvas/plan.ts';
import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { Workflow } from '#core/resources/workflow.ts';
import type { LostStatus, WorkflowStatus } from '#core/resources/workflow-status.ts';
import { encodeCheckpoint } from '#core/workflow/checkpoint.ts';
import { decide } from '#core/workflow/decide.ts';
import { fitStatus } from '#core/workflow/fit-status.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { statusOf, verdictStatus, waitingVerdict, type StatusContext } from '#core/workflow/status.ts';
import { endUnbegun } from '#core/workflow/unbegun.ts';
import type { RunDriver } from '../runs/run-driver.ts';
import { reportOf } from '../runs/run-report.ts';
import type { ControllerDeps } from './controller-deps.ts';
import { unservedQueueOf } from './unserved-queue.ts';
import { settingsOf, showsResult } from './workflow-settings.ts';

type ReportDeps = Pick<ControllerDeps, 'nowMs' | 'config'>;
type RunReportDeps = ReportDeps & Pick<ControllerDeps, 'stalled' | 'reflectors'>;

/** The status of a run as it stands. `lostBefore`: what was lost of it before this driver took it up. */
export function runStatus(
  workflow: Workflow,
  driver: RunDriver,
  lostBefore: LostStatus | undefined,
  deps: RunReportDeps,
): WorkflowStatus {
  const report = { ...reportOf(driver), lost: lostInAll(lostBefore, driver) };
  return statusOf({ ...report, unservedQueueOf: unservedQueueOf(workflow, driver, deps) }, contextOf(workflow, deps));
}

function lostInAll(before: LostStatus | undefined, { losses }: RunDriver): LostStatus | undefined {
  const { times = 0, sentAgain = 0, runAgain = 0 } = before ?? {};
  if (times + losses.times === 0) return undefined;
  return {
    times: times + losses.times,
    sentAgain: sentAgain + losses.sentAgain,
    runAgain: runAgain + losses.runAgain,
  };
}

/** What is computed for a status only when it is written: it costs time with every slot of a run. */
export function completed(status: WorkflowStatus, { run }: RunDriver): WorkflowStatus {
  if (status.state === 'Succeeded') return fitStatus(status);
  const { head, slots, maps } = run.remembered;
  const checkpoint = encodeCheckpoint({ ...head, slots, maps });
  return fitStatus({ ...status, ...(checkpoint === undefined ? {} : { checkpoint }) });
}

/** For a Workflow without a run: it waits for something before it can begin, or never will. */
export function waitingStatus(
  workflow: Workflow,
  { reason, message }: { readonly reason: WorkflowReason; readonly message: string },
  deps: ReportDeps,
): WorkflowStatus {
  const begunAtMs = Date.parse(workflow.status?.startedAt ?? '') || undefined;
  return verdictStatus(waitingVerdict(reason, message), contextOf(workflow, deps), begunAtMs);
}

/** For a Workflow that ends before it could begin; undefined while it may still begin. */
export function unbegunStatus(
  workflow: Workflow,
  why: { readonly reason: WorkflowReason; readonly message: string },
  deps: ReportDeps,
): WorkflowStatus | undefined {
  const ageMs = deps.nowMs() - Date.parse(workflow.metadata.creationTimestamp);
  const { cancel, deadlineMs } = settingsOf(workflow);
  const verdict = endUnbegun({ why, cancel, deadlineMs, ageMs });
  return verdict === undefined ? undefined : verdictStatus(verdict, contextOf(workflow, deps), undefined);
}

const noRun48 = '000000000000';

/** A canvas without tasks has no home: its outcome follows from what was written alone. */
export function emptyStatus(workflow: Workflow, plan: Plan, deps: ReportDeps): WorkflowStatus {
  const begunAtMs = deps.nowMs();
  const { name, namespace, uid } = workflow.metadata;
  const { payloadLimits } = deps.config;
  const context = { nowTicks: 0, run48: noRun48, run: { name, namespace, uid }, payloadLimits };
  const { state, evaluation } = decide(plan, initialState(begunAtMs), [], context);
  const identity = { uid, run48: noRun48, round: 0, roundsAt: [] };
  const view = { plan, state, evaluation, payloadLimits };
  const report = { identity, view, rev: 0, begunAtMs, suspended: false, reports: new Map<number, never>() };
  const { run: _run, resultTaskId: _id, ...status } = statusOf(report, contextOf(workflow, deps));
  return status;
}

function contextOf(workflow: Workflow, { nowMs, config }: ReportDeps): StatusContext {
  return {
    generation: workflow.metadata.generation,
    nowMs: nowMs(),
    timeText: (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z'),
    previous: workflow.status,
    showResult: config.showResults && showsResult(workflow),
  };
}
