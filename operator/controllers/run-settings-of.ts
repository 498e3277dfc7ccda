import { parseDurationMs } from '#core/base/duration.ts';
import type { Workflow, WorkflowSpec } from '#core/resources/workflow.ts';
import type { RunSettings } from '../runs/run-settings.ts';

/** What a Workflow asks of its run, of a spec that was parsed. */
export function runSettingsOf({ metadata }: Workflow, spec: WorkflowSpec): RunSettings {
  const { suspend, cancel, deadline, maxParallel, retryFailed } = spec;
  return {
    suspended: suspend ?? false,
    cancel: cancel ?? false,
    deadlineMs: deadline === undefined ? undefined : parseDurationMs(deadline),
    maxParallel: maxParallel === undefined ? undefined : Number(maxParallel),
    retryFailed: Number(retryFailed ?? 0),
    run: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
  };
}
