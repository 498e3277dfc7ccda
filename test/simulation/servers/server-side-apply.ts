import type { StoredObject } from './object-rules.ts';

type Json = Record<string, unknown>;

/**
 * Server-side apply by one manager who is always in the right: what it states is taken over, what it stated before and
 * no longer does is removed, all else stays. Lists are taken whole.
 */
export class ServerSideApply {
  /** What was last stated of each object, by its UID. */
  readonly #stated = new Map<string, Json>();

  /** What applying makes of an object. */
  appliedTo(known: StoredObject, stated: StoredObject): StoredObject {
    const before = this.#stated.get(known.metadata.uid ?? '') ?? {};
    return merged(known, stated, before) as unknown as StoredObject;
  }

  /** From now on this is what was last stated. */
  note(uid: string, stated: StoredObject): void {
    this.#stated.set(uid, stated);
  }
}

function merged(known: Json, stated: Json, before: Json): Json {
  const result = { ...known };
  for (const [key, was] of Object.entries(before)) {
    if (key in stated) continue;
    const inner = known[key];
    const left = isMap(was) && isMap(inner) ? merged(inner, {}, was) : {};
    if (Object.keys(left).length > 0) result[key] = left;
    else Reflect.deleteProperty(result, key);
  }
  for (const [key, value] of Object.entries(stated)) {
    const inner = known[key];
    const was = before[key];
    result[key] = isMap(value) && isMap(inner) ? merged(inner, value, isMap(was) ? was : {}) : value;
  }
  return result;
}

function isMap(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
