import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { maxStep } from '#core/base/task-id.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { findingOf, type Finding } from '../manifest/finding.ts';
import { fieldsOf, type Manifest } from '../manifest/manifest.ts';

/** The spec of a Workflow, or all that is wrong with it. */
export function checkWorkflow(manifest: Manifest): Result<WorkflowSpec, readonly Finding[]> {
  const refused = (path: string, message: string): Finding => findingOf(manifest, path, { severity: 'error', message });
  const parsed = parseWorkflowSpec(fieldsOf(manifest.value)['spec']);
  if (!parsed.ok) return fail(parsed.error.map(({ path, message }) => refused(path, message)));
  const { length } = planOf(normalise(parsed.value)).steps;
  if (length <= maxStep) return ok(parsed.value);
  return fail([refused('spec', `has ${length} elements and handlers, and a run numbers at most ${maxStep}`)]);
}
