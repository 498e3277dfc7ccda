import { parseJson } from '#core/base/json-text.ts';
import type { KubeClient } from './client.ts';
import { isKubeError } from './kube-error.ts';
import type { KubeObject } from './object.ts';
import { collectionPath, type Resource } from './resource.ts';
import { withoutManagedFields } from './verbs.ts';

export interface ObjectList<T> {
  readonly objects: T[];
  /** A watch from here misses nothing. */
  readonly resourceVersion: string;
}

export interface ListScope {
  readonly resource: Resource;
  /** Absent: every namespace. */
  readonly namespace?: string;
  readonly labelSelector?: string;
}

interface ListPage<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: T[] | null;
}

/** Objects in one answer: a few megabytes at most, so that parsing never holds up a lease renewal. */
const pageSize = 500;

/** Lists all objects, page by page, as of one moment. */
export async function listObjects<T extends KubeObject>(
  client: KubeClient,
  scope: ListScope,
  signal?: AbortSignal,
): Promise<ObjectList<T>> {
  try {
    return await listPages<T>(client, scope, { limit: pageSize, signal });
  } catch (error) {
    // The server forgot the moment of the first page before we asked for the last: then all at once.
    if (!isKubeError(error, 'Expired')) throw error;
    return await listPages<T>(client, scope, { limit: undefined, signal });
  }
}

async function listPages<T extends KubeObject>(
  client: KubeClient,
  scope: ListScope,
  options: { limit: number | undefined; signal: AbortSignal | undefined },
): Promise<ObjectList<T>> {
  const objects: T[] = [];
  let token: string | undefined;
  while (true) {
    const text = await client.call({
      method: 'GET',
      path: collectionPath(scope.resource, scope.namespace),
      query: { limit: options.limit, continue: token, labelSelector: scope.labelSelector },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const page = (scope.resource.keepsNumberText === true ? parseJson(text) : JSON.parse(text)) as ListPage<T>;
    for (const object of page.items ?? []) objects.push(withoutManagedFields(object));
    token = page.metadata.continue;
    if (token === undefined || token === '') return { objects, resourceVersion: page.metadata.resourceVersion };
  }
}
