import type { Workflow } from '#core/resources/workflow.ts';
import { resources } from '#io/kube/resource.ts';
import { deleteObject } from '#io/kube/verbs.ts';
import type { Requeue } from '../control/controller.ts';
import type { ControllerDeps } from './controller-deps.ts';
import { ttlMsOf } from './workflow-settings.ts';

/**
 * Deletes an ended Workflow once `ttlAfterFinished` has passed, or says when to come again. Only as it was seen: whoever
 * changes it meanwhile, to keep it or to run it again, is heard first. Throws `KubeError`; `Conflict` for that.
 */
export async function expireIfDue(
  workflow: Workflow,
  { client, nowMs }: Pick<ControllerDeps, 'client' | 'nowMs'>,
): Promise<Requeue | undefined> {
  const leftMs = timeLeftMs(workflow, nowMs());
  if (leftMs === undefined) return undefined;
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  const { namespace, name, uid, resourceVersion } = workflow.metadata;
  await deleteObject(
    client,
    resources.workflows,
    { namespace, name },
    { uid, ...(resourceVersion && { resourceVersion }) },
  );
  return undefined;
}

/** Until the end of its time; undefined for one that stays. `finishedAt` is of whole seconds: it may go that much sooner. */
function timeLeftMs(workflow: Workflow, nowMs: number): number | undefined {
  const ttlMs = ttlMsOf(workflow);
  const finishedAtMs = Date.parse(workflow.status?.finishedAt ?? '');
  return ttlMs === undefined || Number.isNaN(finishedAtMs) ? undefined : finishedAtMs + ttlMs - nowMs;
}
