import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { findingOf, type Finding } from '../manifest/finding.ts';
import type { Manifest } from '../manifest/manifest.ts';

/** What is sound, and hardly what was meant of a run. */
export function checkRun(manifest: Manifest, { cancel, retryFailed = 0 }: WorkflowSpec): readonly Finding[] {
  if (cancel !== true) return [];
  const again = retryFailed > 0 ? ', and retryFailed begins no round while it is true' : '';
  const message = `a run that begins so is cancelled before its first task${again}; set it to false`;
  return [findingOf(manifest, 'spec.cancel', { severity: 'warning', message })];
}
