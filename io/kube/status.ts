import { parseJson, stringifyJson } from '#core/base/json-text.ts';
import { fieldManager } from './apply.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject } from './object.ts';
import { objectPath, type Resource } from './resource.ts';
import { withoutManagedFields } from './verbs.ts';

/** Who writes a status knows the rest of the object, which may be large. */
const metadataAlone = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

/**
 * Sets the members of the object's status that `patch` names, each whole; `null` removes one, and the others stay. The
 * write carries the resourceVersion of `object`, from which the patch was computed: when someone wrote in between it
 * fails with `Conflict` and changes nothing. Resolves to the object as written: nothing of it can be another by then.
 */
export async function patchStatus<T extends KubeObject & { readonly status?: object }>(
  client: KubeClient,
  resource: Resource,
  object: T,
  patch: object,
): Promise<T> {
  const { name, namespace = '', resourceVersion } = object.metadata;
  const text = await client.call({
    method: 'PATCH',
    path: objectPath(resource, { namespace, name }, 'status'),
    query: { fieldManager },
    accept: metadataAlone,
    contentType: 'application/json-patch+json',
    body: stringifyJson([
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      ...operationsOf(object.status, patch),
    ]),
  });
  const { metadata } = withoutManagedFields(JSON.parse(text) as KubeObject);
  return { ...object, metadata, status: patched(object.status, patch) };
}

function patched(status: object | undefined, patch: object): object {
  const next: Record<string, unknown> = { ...status };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(next, name);
    // As it travelled.
    else if (value !== undefined) next[name] = parseJson(stringifyJson(value));
  }
  return next;
}

/** A JSON patch rather than a merge patch: that one would drop every `null` inside a user's result. */
function operationsOf(status: object | undefined, patch: object): readonly object[] {
  const members = Object.entries(patch).filter(([, value]) => value !== undefined);
  if (status === undefined) {
    return [{ op: 'add', path: '/status', value: Object.fromEntries(members.filter(([, value]) => value !== null)) }];
  }
  return members.flatMap(([name, value]): readonly object[] => {
    const path = `/status/${name}`;
    if (value !== null) return [{ op: 'add', path, value: value as unknown }];
    // To remove what someone else removed is an error of its own, before the version is compared: so it is put there first.
    return name in status
      ? [
          { op: 'add', path, value: '' },
          { op: 'remove', path },
        ]
      : [];
  });
}
