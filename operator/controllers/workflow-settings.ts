import { parseDurationMs } from '#core/base/duration.ts';
import type { Workflow, WorkflowSpec } from '#core/resources/workflow.ts';
import type { RunSettings } from '../runs/run-settings.ts';
import { runSettingsOf } from '../runs/run-settings-of.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a Workflow asks of its run. Its spec is not parsed for it: these keys the API server has checked. */
export function settingsOf(workflow: Workflow): RunSettings {
  return runSettingsOf(workflow, workflow.spec as WorkflowSpec);
}

export function showsResult({ spec }: Workflow): boolean {
  return (spec as Fields | undefined)?.['showResult'] !== false;
}

/** From its end to its deletion, in milliseconds; undefined for one that stays. */
export function ttlMsOf({ spec }: Workflow): number | undefined {
  return durationOf((spec as Fields | undefined)?.['ttlAfterFinished']);
}

const endsToRunAgain: ReadonlySet<string | undefined> = new Set(['Failed', 'Cancelled', 'DeadlineExceeded']);

/** Whether a Workflow that has ended is asked to run again what failed in it. */
function isAskedAgain(workflow: Workflow): boolean {
  const { state, home, retried = 0 } = workflow.status ?? {};
  return home !== undefined && endsToRunAgain.has(state) && settingsOf(workflow).retryFailed > retried;
}

/** Whether there is anything left to do for its run. */
export function isLive(workflow: Workflow): boolean {
  return workflow.status?.finishedAt === undefined || isAskedAgain(workflow);
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDurationMs(value) : undefined;
}
