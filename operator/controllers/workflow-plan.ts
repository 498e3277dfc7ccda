import { createHash } from 'node:crypto';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { Plan, TaskStep } from '#core/canvas/plan.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { summariseProblems } from '#core/resources/spec-problem.ts';
import type { Workflow, WorkflowSpec } from '#core/resources/workflow.ts';
import { frozenText } from '#core/workflow/digest.ts';
import { lateEta } from '#core/workflow/late-eta.ts';

/** A Workflow that can be run. */
export interface PlannedWorkflow {
  readonly plan: Plan;
  readonly digest: string;
  readonly spec: WorkflowSpec;
  /** The task whose queue decides where the run is kept; undefined for a run without tasks. */
  readonly firstTask: TaskStep | undefined;
}

/** Parses, plans and digests a Workflow's spec. The error is a condition's message. */
export function plannedWorkflow(workflow: Workflow): Result<PlannedWorkflow, string> {
  const parsed = parseWorkflowSpec(workflow.spec);
  if (!parsed.ok) return fail(summariseProblems(parsed.error));
  const plan = planOf(normalise(parsed.value));
  const late = lateEta(plan, Date.parse(workflow.metadata.creationTimestamp));
  if (late !== undefined) return fail(late);
  return ok({
    plan,
    digest: createHash('sha256')
      .update(frozenText(workflow.spec as object))
      .digest('hex'),
    spec: parsed.value,
    firstTask: plan.steps.find((step): step is TaskStep => step.kind === 'Task'),
  });
}
