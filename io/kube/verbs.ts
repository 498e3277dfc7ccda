import { parseJson, stringifyJson } from '#core/base/json-text.ts';
import type { KubeClient } from './client.ts';
import { isKubeError } from './kube-error.ts';
import type { KubeObject, ObjectName } from './object.ts';
import { collectionPath, objectPath, type Resource } from './resource.ts';

/** The object as the API server sent it, less `managedFields`, which nobody here reads and which double its size. */
export function parseObject(resource: Resource, text: string): KubeObject {
  return withoutManagedFields((resource.keepsNumberText === true ? parseJson(text) : JSON.parse(text)) as KubeObject);
}

export function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}

/** The object, or undefined when there is none. */
export async function readObject<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  name: ObjectName,
): Promise<T | undefined> {
  try {
    return parseObject(resource, await client.call({ method: 'GET', path: objectPath(resource, name) })) as T;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

export async function createObject<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  object: KubeObject,
): Promise<T> {
  const path = collectionPath(resource, object.metadata.namespace);
  return parseObject(resource, await client.call({ method: 'POST', path, body: stringifyJson(object) })) as T;
}

/** The object that is meant, as it was seen. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion?: string;
}

/**
 * Whether there was something to delete. Throws `Conflict`, and deletes nothing, when another object has the name by now,
 * or this one changed since.
 */
export async function deleteObject(
  client: KubeClient,
  resource: Resource,
  name: ObjectName,
  preconditions?: Preconditions,
): Promise<boolean> {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
  const body = preconditions === undefined ? {} : { body: stringifyJson(options) };
  try {
    await client.call({ method: 'DELETE', path: objectPath(resource, name), ...body });
    return true;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return false;
    throw error;
  }
}
