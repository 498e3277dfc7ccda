import type { KubeObject } from '#io/kube/object.ts';
import { ObjectStore, type Change } from '#io/kube/object-store.ts';
import { keyOf } from '#io/kube/object.ts';

/** A copy of objects that seldom change, as a reflector keeps it; the world tells it of changes, late. */
export class ObjectCopy<T extends KubeObject> {
  readonly #store = new ObjectStore<T>(({ metadata }) => [metadata.namespace ?? '']);
  readonly #listeners = new Set<(change: Change<T>) => void>();

  list(): T[] {
    return this.#store.list();
  }

  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  group(namespace: string): T[] {
    return this.#store.group(namespace);
  }

  subscribe(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    for (const object of this.list()) listener({ key: keyOf(object), object });
    return () => this.#listeners.delete(listener);
  }

  put(object: T): void {
    for (const change of this.#store.put(object)) for (const listener of this.#listeners) listener(change);
  }
}
