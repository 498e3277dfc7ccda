import { ApiRefusal } from './api-answer.ts';

/** What a path of the Kubernetes API means. */
export interface Place {
  /** Group, version and plural. */
  readonly collection: string;
  /** Empty: all of them. */
  readonly namespace: string;
  /** Empty: the whole collection. */
  readonly name: string;
  readonly subresource: string;
}

const shape = /^(\/apis?\/.+?)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+)(?:\/(status))?)?$/;

/** Throws `ApiRefusal` for a path that the API server would not know. */
export function placeOf(path: string): Place {
  const [, root, namespace = '', plural = '', name = '', subresource = ''] = shape.exec(path) ?? [];
  if (root === undefined) throw new ApiRefusal(404, 'NotFound', `${path}: the server could not find the resource`);
  return { collection: `${root}/${plural}`, namespace, name: decodeURIComponent(name), subresource };
}

/** `namespace/name`, as collections are keyed. */
export function keyAt({ namespace, name }: Pick<Place, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
