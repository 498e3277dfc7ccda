import { isLaterVersion, keyOf, type KubeObject } from './object.ts';

/** What became of one object. Without `object` it is gone; without `previous` it is new, or a namesake with another uid. */
export interface Change<T> {
  readonly key: string;
  readonly object?: T;
  readonly previous?: T;
}

/**
 * The newest known version of each object. Reports and writes come in any order; an older version never replaces a newer
 * one, and an object deleted and created again under its name counts as two.
 */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #index = new Map<string, Set<string>>();
  readonly #indexKeysOf: (object: T) => readonly string[];

  /** `indexKeysOf` names the groups an object belongs to, for `group`. */
  constructor(indexKeysOf: (object: T) => readonly string[] = () => []) {
    this.#indexKeysOf = indexKeysOf;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  get size(): number {
    return this.#objects.size;
  }

  /** The objects that belong to a group. */
  group(indexKey: string): T[] {
    const keys = this.#index.get(indexKey) ?? [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Takes a reported object; nothing when what we have is as new. */
  put(object: T): Change<T>[] {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known !== undefined && isSame(known, object) && !isLater(object, known)) return [];
    if (known !== undefined) this.#forget(key, known);
    this.#objects.set(key, object);
    for (const indexKey of this.#indexKeysOf(object)) this.#groupOf(indexKey).add(key);
    if (known === undefined) return [{ key, object }];
    if (isSame(known, object)) return [{ key, object, previous: known }];
    return [
      { key, previous: known },
      { key, object },
    ];
  }

  /** Takes the answer to our own write. It never brings back an object that was reported deleted meanwhile. */
  adopt(object: T): Change<T>[] {
    const known = this.#objects.get(keyOf(object));
    return known !== undefined && isSame(known, object) ? this.put(object) : [];
  }

  /** Takes a reported deletion; nothing when a namesake has replaced the object. */
  remove(object: T): Change<T>[] {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known === undefined || !isSame(known, object)) return [];
    this.#forget(key, known);
    return [{ key, previous: known }];
  }

  /** Takes a complete list of one namespace, or of all: what it lacks is gone. */
  replace(objects: readonly T[], namespace?: string): Change<T>[] {
    const listed = new Set(objects.map(keyOf));
    const gone = this.list().filter((known) => {
      const isInScope = namespace === undefined || known.metadata.namespace === namespace;
      return isInScope && !listed.has(keyOf(known));
    });
    return [...gone.flatMap((object) => this.remove(object)), ...objects.flatMap((object) => this.put(object))];
  }

  #forget(key: string, known: T): void {
    this.#objects.delete(key);
    for (const indexKey of this.#indexKeysOf(known)) {
      const group = this.#index.get(indexKey);
      group?.delete(key);
      if (group?.size === 0) this.#index.delete(indexKey);
    }
  }

  #groupOf(indexKey: string): Set<string> {
    const known = this.#index.get(indexKey);
    if (known !== undefined) return known;
    const group = new Set<string>();
    this.#index.set(indexKey, group);
    return group;
  }
}

/** A namesake created after a deletion has another uid. */
function isSame(one: KubeObject, other: KubeObject): boolean {
  return one.metadata.uid === other.metadata.uid;
}

function isLater(object: KubeObject, known: KubeObject): boolean {
  return isLaterVersion(object.metadata.resourceVersion, known.metadata.resourceVersion);
}
