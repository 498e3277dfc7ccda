import { stringifyJson } from '#core/base/json-text.ts';
import { fieldManager } from './apply.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject } from './object.ts';
import { objectPath, type Resource } from './resource.ts';
import { parseObject } from './verbs.ts';

/**
 * Merges `patch` into the object's status: members named in it are set, `null` removes one, lists are replaced whole.
 * The write carries the resourceVersion of `object`, from which the patch was computed: when someone wrote in between it
 * fails with `Conflict` and changes nothing. Resolves to the object as written.
 */
export async function patchStatus<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: T,
  patch: object,
): Promise<T> {
  const { name, namespace = '', uid, resourceVersion } = object.metadata;
  const text = await client.call({
    method: 'PATCH',
    path: objectPath(resource, { namespace, name }, 'status'),
    query: { fieldManager },
    contentType: 'application/merge-patch+json',
    body: stringifyJson({ metadata: { uid, resourceVersion }, status: patch }),
  });
  return parseObject(resource, text) as T;
}
