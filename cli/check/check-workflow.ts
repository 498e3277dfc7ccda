import { fail, type Result } from '#core/base/result.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { findingOf, type Finding } from '../manifest/finding.ts';
import { fieldsOf, type Manifest } from '../manifest/manifest.ts';

/** The spec of a Workflow, or all that is wrong with it. */
export function checkWorkflow(manifest: Manifest): Result<WorkflowSpec, readonly Finding[]> {
  const { spec } = fieldsOf(manifest.value);
  // That is said of every kind.
  if (spec === undefined) return fail([]);
  const parsed = parseWorkflowSpec(spec);
  if (parsed.ok) return parsed;
  return fail(parsed.error.map(({ path, message }) => findingOf(manifest, path, { severity: 'error', message })));
}
