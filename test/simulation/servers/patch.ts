import { canonicalJson } from '#core/base/json-text.ts';

/** A patch that does not fit its object: nothing is changed. */
export class PatchRefused extends Error {
  override readonly name = 'PatchRefused';
}

/** One of RFC 6902's operations, of those that our client writes. */
export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

type Json = Record<string, unknown>;

/** The object after all operations; what they do not touch is shared with the one before. */
export function patched(object: object, operations: readonly PatchOperation[]): object {
  return operations.reduce<object>((so, operation) => {
    const keys = operation.path.split('/').slice(1);
    return withChange(so as Json, keys, operation);
  }, object);
}

function withChange(object: Json, [key = '', ...rest]: readonly string[], operation: PatchOperation): Json {
  if (rest.length > 0) {
    const inner = object[key];
    if (inner === null || typeof inner !== 'object') throw new PatchRefused(`${operation.path}: there is no ${key}`);
    return { ...object, [key]: withChange(inner as Json, rest, operation) };
  }
  // The API server replaces what is not there, too, other than RFC 6902 has it.
  if (operation.op === 'add' || operation.op === 'replace') return { ...object, [key]: operation.value };
  if (!(key in object)) throw new PatchRefused(`${operation.path}: there is no ${key} to ${operation.op}`);
  if (operation.op === 'test') return tested(object, key, operation);
  const { [key]: _removed, ...left } = object;
  return left;
}

function tested(object: Json, key: string, { path, value }: PatchOperation): Json {
  if (canonicalJson(object[key]) === canonicalJson(value)) return object;
  throw new PatchRefused(`${path}: it is another value`);
}

/** RFC 7386: `null` removes, objects are merged, all else replaces. */
export function mergePatched(object: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Json = isObject(object) ? { ...object } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = mergePatched(merged[key], value);
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
