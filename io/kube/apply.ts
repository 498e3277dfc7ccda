import { stringifyJson } from '#core/base/json-text.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject } from './object.ts';
import { apiVersionOf, objectPath, type Resource } from './resource.ts';
import { parseObject } from './verbs.ts';

/** Under this name the API server notes what is ours. */
export const fieldManager = 'arpeggio';

/**
 * Server-side apply: the object gets every field stated here, and loses those that we stated before and no longer do.
 * Fields that nobody of us states stay the cluster's; a field that another manager holds is taken over.
 */
export async function applyObject<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  desired: KubeObject,
): Promise<T> {
  const { name, namespace = '' } = desired.metadata;
  const body = stringifyJson({ ...desired, apiVersion: apiVersionOf(resource), kind: resource.kind });
  const text = await client.call({
    method: 'PATCH',
    path: objectPath(resource, { namespace, name }),
    query: { fieldManager, force: true },
    contentType: 'application/apply-patch+yaml',
    body,
  });
  return parseObject(resource, text) as T;
}
