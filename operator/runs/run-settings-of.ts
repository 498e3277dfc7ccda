import { parseDurationMs } from '#core/base/duration.ts';
import { plainNumber } from '#core/base/json-text.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import type { RunFacts } from '#core/workflow/judge.ts';
import type { RunSettings } from './run-settings.ts';

/** What a Workflow asks of its run, of a spec that was parsed. */
export function runSettingsOf({ metadata }: { readonly metadata: RunFacts }, spec: WorkflowSpec): RunSettings {
  const { suspend, cancel, deadline, maxParallel, retryFailed } = spec;
  return {
    suspended: suspend ?? false,
    cancel: cancel ?? false,
    deadlineMs: deadline === undefined ? undefined : parseDurationMs(deadline),
    maxParallel: maxParallel === undefined ? undefined : plainNumber(maxParallel),
    retryFailed: plainNumber(retryFailed ?? 0),
    run: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
  };
}
