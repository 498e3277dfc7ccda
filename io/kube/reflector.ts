import { backoffMs } from '#core/base/backoff.ts';
import type { Log } from '#core/base/log.ts';
import type { Timers } from '#core/base/timers.ts';
import { processTimers, rest } from '../process-timers.ts';
import type { KubeClient } from './client.ts';
import { isKubeError } from './kube-error.ts';
import { listObjects, type ListScope } from './list.ts';
import { keyOf, type KubeObject } from './object.ts';
import { type Change, ObjectStore } from './object-store.ts';
import { watchObjects, type WatchEvent } from './watch.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly scope: Omit<ListScope, 'namespace'>;
  /** Watched one by one; empty means all at once. */
  readonly namespaces: readonly string[];
  readonly log: Log;
  readonly indexKeysOf?: (object: T) => readonly string[];
  /** A watch silent for longer is taken for dead: the server sends a bookmark a minute. Default 90 s. */
  readonly inactivityMs?: number;
  /** Default: those of the process. */
  readonly timers?: Timers;
}

const backoff = { baseMs: 100, capMs: 5_000 };

/**
 * Keeps a copy of a resource's objects: a paged list, then a watch from there, then the next watch from where that one
 * ended. Whatever goes wrong is tried again without end, and only a forgotten past costs a new list. Listeners are told
 * of changes and must do no more than note them; a listener that throws is logged and harms nobody else.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #timers: Timers;
  readonly #store: ObjectStore<T>;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #unsynced = new Set<string | undefined>();
  readonly #synced = Promise.withResolvers<undefined>();

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timers = options.timers ?? processTimers;
    this.#store = new ObjectStore<T>(options.indexKeysOf);
    for (const namespace of scopesOf(options.namespaces)) this.#unsynced.add(namespace);
  }

  /** `key` is `namespace/name`. */
  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  list(): T[] {
    return this.#store.list();
  }

  /** The objects that `indexKeysOf` put into this group. */
  group(indexKey: string): T[] {
    return this.#store.group(indexKey);
  }

  get size(): number {
    return this.#store.size;
  }

  /** Every object as the API server has it now, for what must not rest on a copy that may lag. Throws `KubeError`. */
  async listAfresh(): Promise<readonly T[]> {
    const { client, namespaces } = this.#options;
    const lists = scopesOf(namespaces).map((namespace) => listObjects<T>(client, this.#scope(namespace)));
    return (await Promise.all(lists)).flatMap(({ objects }) => objects);
  }

  /** Resolves after the first complete list of every namespace. */
  get synced(): Promise<unknown> {
    return this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#unsynced.size === 0;
  }

  /** Adds a listener; objects already known are told to it at once. Returns how to remove it. */
  subscribe(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    for (const object of this.list()) this.#tell([{ key: keyOf(object), object }], listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the answer to our own write, so that the next look at the copy sees it. */
  adopt(object: T): void {
    this.#tellAll(this.#store.adopt(object));
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(scopesOf(this.#options.namespaces).map((namespace) => this.#follow(namespace, signal)));
  }

  async #follow(namespace: string | undefined, signal: AbortSignal): Promise<void> {
    const position: Position = { version: undefined, failures: 0 };
    while (true) {
      try {
        position.version ??= await this.#list(namespace, signal);
        await this.#watch(namespace, position, signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#rest(position, error, signal);
      }
    }
  }

  async #list(namespace: string | undefined, signal: AbortSignal): Promise<string> {
    const { client } = this.#options;
    const list = await listObjects<T>(client, this.#scope(namespace), signal);
    this.#tellAll(this.#store.replace(list.objects, namespace));
    this.#unsynced.delete(namespace);
    if (this.isSynced) this.#synced.resolve(undefined);
    return list.resourceVersion;
  }

  /** One watch, to its end. Ending by the server's clock is the rule; the caller opens the next at once. */
  async #watch(namespace: string | undefined, position: Position, signal: AbortSignal): Promise<void> {
    const { client, inactivityMs = 90_000 } = this.#options;
    const silence = this.#silence(inactivityMs);
    const openedAtMs = this.#timers.nowMs();
    try {
      const events = watchObjects<T>(client, this.#scope(namespace), {
        resourceVersion: position.version ?? '',
        // Spread, so that a restarted API server is not asked by all watches at one moment.
        timeoutSeconds: 290 + Math.floor(this.#timers.chance() * 290),
        signal: AbortSignal.any([signal, silence.signal]),
      });
      for await (const event of events) {
        silence.heard();
        this.#take(event, position);
      }
    } finally {
      silence.stop();
    }
    // A server that closes at once, again and again, must not be asked in a busy loop.
    if (this.#timers.nowMs() - openedAtMs < 1_000) await rest(this.#timers, 200 + this.#timers.chance() * 300, signal);
  }

  /** Aborts its signal when nothing was heard for so long. */
  #silence(inactivityMs: number) {
    const timers = this.#timers;
    const controller = new AbortController();
    let heardAtMs = timers.nowMs();
    const look = (): void => {
      const leftMs = heardAtMs + inactivityMs - timers.nowMs();
      if (leftMs > 0) stop = timers.after(leftMs, look);
      else controller.abort(new Error(`the watch was silent for ${String(inactivityMs)} ms`));
    };
    let stop = timers.after(inactivityMs, look);
    return { signal: controller.signal, heard: () => (heardAtMs = timers.nowMs()), stop: () => stop() };
  }

  #take(event: WatchEvent<T>, position: Position): void {
    position.failures = 0;
    switch (event.type) {
      case 'Bookmark':
        position.version = event.resourceVersion;
        return;
      case 'Reported':
        position.version = event.object.metadata.resourceVersion;
        this.#tellAll(this.#store.put(event.object));
        return;
      case 'Deleted':
        position.version = event.object.metadata.resourceVersion;
        this.#tellAll(this.#store.remove(event.object));
    }
  }

  async #rest(position: Position, error: unknown, signal: AbortSignal): Promise<void> {
    const { log, scope } = this.#options;
    position.failures += 1;
    // What cannot be placed (a forgotten past, an unreadable line) is healed by a new list; all else by the next watch,
    // unless that fails again and again: then nobody knows what is wrong with our place in history.
    const isLost = isKubeError(error, 'Expired') || error instanceof SyntaxError || position.failures > 5;
    if (isLost) position.version = undefined;
    const asked = isKubeError(error) ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(asked, backoffMs(backoff, position.failures, this.#timers.chance()));
    const fields = { resource: scope.resource.plural, failures: position.failures, waitMs, err: error };
    if (position.failures > 2) log.warn(fields, 'cannot follow a resource; trying again');
    else log.debug(fields, 'a watch ended; opening the next');
    await rest(this.#timers, waitMs, signal).catch(() => undefined);
  }

  #scope(namespace: string | undefined): ListScope {
    return { ...this.#options.scope, ...(namespace === undefined ? {} : { namespace }) };
  }

  #tellAll(changes: readonly Change<T>[]): void {
    for (const listener of this.#listeners) this.#tell(changes, listener);
  }

  #tell(changes: readonly Change<T>[], listener: (change: Change<T>) => void): void {
    for (const change of changes) {
      try {
        listener(change);
      } catch (error) {
        this.#options.log.error({ key: change.key, err: error }, 'a listener failed');
      }
    }
  }
}

/** Where the next watch begins, and how often in a row that failed. */
interface Position {
  version: string | undefined;
  failures: number;
}

function scopesOf(namespaces: readonly string[]): readonly (string | undefined)[] {
  return namespaces.length === 0 ? [undefined] : namespaces;
}
