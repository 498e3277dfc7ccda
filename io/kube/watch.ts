import type { KubeClient } from './client.ts';
import { errorOfAnswer } from './kube-error.ts';
import type { ListScope } from './list.ts';
import type { KubeObject } from './object.ts';
import { collectionPath } from './resource.ts';
import { parseObject } from './verbs.ts';

export type WatchEvent<T> =
  | { readonly type: 'Reported'; readonly object: T }
  | { readonly type: 'Deleted'; readonly object: T }
  /** Nothing happened up to this resourceVersion. */
  | { readonly type: 'Bookmark'; readonly resourceVersion: string };

export interface WatchOptions {
  readonly resourceVersion: string;
  /** The server ends the watch by itself after this time. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/**
 * What happens to a scope's objects after a resourceVersion, until the server ends the watch. Throws `KubeError`:
 * `Expired` means that the past asked for is forgotten and only a new list helps. A line that cannot be read throws
 * too, for an event lost in silence would be lost for good.
 */
export async function* watchObjects<T extends KubeObject>(
  client: KubeClient,
  scope: ListScope,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const path = collectionPath(scope.resource, scope.namespace);
  const query = {
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: options.resourceVersion,
    timeoutSeconds: options.timeoutSeconds,
    labelSelector: scope.labelSelector,
  };
  for await (const line of client.watch({ path, query, signal: options.signal })) {
    if (line !== '') yield eventOfLine<T>(scope, line);
  }
}

const shape = /^\{"type":"([A-Z]+)","object":(.*)\}\s*$/s;

function eventOfLine<T extends KubeObject>(scope: ListScope, line: string): WatchEvent<T> {
  const [, type = '', text = ''] = shape.exec(line) ?? [];
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'Reported', object: parseObject(scope.resource, text) as T };
    case 'DELETED':
      return { type: 'Deleted', object: parseObject(scope.resource, text) as T };
    case 'BOOKMARK':
      return { type: 'Bookmark', resourceVersion: (JSON.parse(text) as T).metadata.resourceVersion ?? '' };
    case 'ERROR':
      throw errorOfAnswer(`watch ${scope.resource.plural}`, statusCodeOf(text), text);
    default:
      throw new SyntaxError(`watch ${scope.resource.plural}: not a watch event: ${line.slice(0, 100)}`);
  }
}

function statusCodeOf(text: string): number {
  return (JSON.parse(text) as { code?: number }).code ?? 500;
}
