import { findRouteConflict } from '#core/routing/route-conflicts.ts';
import { findingOf, type Finding } from '../manifest/finding.ts';
import { fieldsOf, type Manifest } from '../manifest/manifest.ts';
import { routedQueueOf } from './routed-queue.ts';

/** TaskQueues of the same file that claim a task equally, so that it would wait for ever. */
export function checkRoutes(queues: readonly Manifest[]): readonly Finding[] {
  const routed = queues.map((manifest) => ({ manifest, queue: routedQueueOf(manifest) }));
  return routed.flatMap(({ manifest, queue }, index) => {
    const conflict = findRouteConflict(
      queue,
      routed.slice(0, index).map((other) => other.queue),
    );
    if (conflict === undefined) return [];
    const at = queue.routes.indexOf(conflict.route);
    const { route, other, otherRoute } = conflict;
    const message = `TaskQueue ${other.name} claims the same tasks by ${otherRoute}, equally: they would wait. Take ${route} from one of the two`;
    return [findingOf(manifest, `spec.routes[${at}]`, { severity: 'error', message })];
  });
}

/** The same object twice in a file: the second would change the first, and a Workflow cannot be changed. */
export function checkNames(manifests: readonly Manifest[]): readonly Finding[] {
  const seen = new Map<string, Manifest>();
  return manifests.flatMap((manifest) => {
    const { file, kind, namespace, name } = manifest;
    const key = JSON.stringify([file.name, kind, namespace, name]);
    const isNamed = fieldsOf(fieldsOf(manifest.value)['metadata'])['name'] !== undefined;
    const isSecond = isNamed && seen.has(key);
    seen.set(key, manifest);
    if (!isSecond) return [];
    const message = `is a name that another ${manifest.kind} of this file has; give each its own`;
    return [findingOf(manifest, 'metadata.name', { severity: 'error', message })];
  });
}
