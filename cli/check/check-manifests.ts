import type { WorkflowSpec } from '#core/resources/workflow.ts';
import { inOrder, type Finding } from '../manifest/finding.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { apiServerChanges } from './api-server-changes.ts';
import { checkObject, isForeign, kindOf } from './check-object.ts';
import { checkNames, checkRoutes } from './check-routes.ts';
import { checkRun } from './check-run.ts';
import { checkSchema } from './check-schema.ts';
import { checkTasks, type KnownTasks } from './check-tasks.ts';
import { checkWorkflow } from './check-workflow.ts';

export interface CheckedWorkflow {
  readonly manifest: Manifest;
  readonly spec: WorkflowSpec;
}

export interface Checked {
  /** Those with which nothing is wrong. */
  readonly workflows: readonly CheckedWorkflow[];
  readonly queues: readonly Manifest[];
  readonly pools: readonly Manifest[];
  /** Objects of others, of which nothing is known here. */
  readonly foreign: readonly Manifest[];
  readonly findings: readonly Finding[];
}

/** Everything that is wrong with these objects, and those that are sound. */
export function checkManifests(manifests: readonly Manifest[], tasks?: KnownTasks): Checked {
  const foreign = manifests.filter(isForeign);
  const ours = manifests.filter((manifest) => !isForeign(manifest));
  const queues = ours.filter(({ kind }) => kind === 'TaskQueue');
  const pools = ours.filter(({ kind }) => kind === 'WorkerPool');
  const workflows: CheckedWorkflow[] = [];
  const findings = [...checkNames(ours), ...checkRoutes(queues)];
  for (const manifest of ours) {
    findings.push(...checkObject(manifest), ...apiServerChanges(manifest));
    const kind = kindOf(manifest);
    if (kind === 'TaskQueue' || kind === 'WorkerPool') findings.push(...checkSchema(manifest, kind));
    const checked = kind === 'Workflow' ? checkWorkflow(manifest) : undefined;
    if (checked?.ok === false) findings.push(...checked.error);
    if (checked?.ok !== true) continue;
    findings.push(...checkRun(manifest, checked.value));
    workflows.push({ manifest, spec: checked.value });
  }
  if (tasks !== undefined) {
    findings.push(...workflows.flatMap(({ manifest, spec }) => checkTasks(manifest, spec, tasks)));
  }
  return { workflows, queues, pools, foreign, findings: inOrder(findings) };
}
