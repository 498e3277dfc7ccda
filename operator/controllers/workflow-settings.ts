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

/** Whether a Workflow that has ended is asked to run again what failed in it, or to begin if it never could. */
function isAskedAgain(workflow: Workflow): boolean {
  const { state, home, retried = 0 } = workflow.status ?? {};
  // A canvas without tasks has no home either, and would fail again.
  const hasRun = home !== undefined || state !== 'Failed';
  return hasRun && endsToRunAgain.has(state) && settingsOf(workflow).retryFailed > retried;
}

/** Whether it is asked to run again and to stay cancelled: no round begins then. */
export function isAskedInVain(workflow: Workflow): boolean {
  return isAskedAgain(workflow) && settingsOf(workflow).cancel;
}

/** Whether there is anything left to do for its run. */
export function isLive(workflow: Workflow): boolean {
  if (workflow.status?.finishedAt === undefined) return true;
  return isAskedAgain(workflow) && !settingsOf(workflow).cancel;
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDurationMs(value) : undefined;
}
