import { parseJson, stringifyJson } from '#core/base/json-text.ts';
import type { KubeRequest } from '#io/kube/client.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { mergePatched, PatchRefused, patched, type PatchOperation } from './patch.ts';

/** An answer as HTTP carries it. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string;
}

export type StoredObject = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

interface Past {
  readonly version: number;
  readonly collection: string;
  readonly line: string;
}

/** Told of each line of a watch: events, or the end of history. */
export type WatchListener = (line: string) => void;

export interface ApiServerOptions {
  readonly nowText: () => string;
  readonly newUid: () => string;
  /** What admission says against a change of an object; undefined lets it pass. */
  readonly admission?: (before: StoredObject | undefined, after: StoredObject) => string | undefined;
}

const namePattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** What of the Kubernetes API our client speaks, in memory: versions, conflicts, watches from a version, a forgotten past. */
export class FakeApiServer {
  /** Told of each change as it is made. */
  onChanged: (type: string, object: StoredObject) => void = () => undefined;
  readonly #options: ApiServerOptions;
  /** By collection path without the namespace, then by `namespace/name`. */
  readonly #collections = new Map<string, Map<string, StoredObject>>();
  readonly #watches = new Set<{ readonly at: Place; readonly listener: WatchListener }>();
  #past: Past[] = [];
  #forgotten = 0;
  #version = 1;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  objects(collection: string): readonly StoredObject[] {
    return [...(this.#collections.get(collection)?.values() ?? [])];
  }

  handle(request: KubeRequest): ApiAnswer {
    try {
      return this.#answer(placeOf(request.path), request);
    } catch (error) {
      if (error instanceof PatchRefused) return refusal(422, 'Invalid', error.message);
      if (error instanceof SyntaxError) return refusal(400, 'BadRequest', error.message);
      throw error;
    }
  }

  #answer(at: Place, request: KubeRequest): ApiAnswer {
    const { method, query = {}, body = '{}' } = request;
    switch (method) {
      case 'GET':
        return at.name === '' ? this.#list(at, query) : this.#get(at);
      case 'POST':
        return this.#create(at, parseJson(body) as StoredObject);
      case 'PATCH':
        return this.#patch(at, request);
      case 'DELETE':
        return this.#delete(at, JSON.parse(body) as DeleteOptions);
      case 'PUT':
        return refusal(405, 'MethodNotAllowed', 'PUT is not simulated');
    }
  }

  /** What happened after a version, then what happens; the function ends it. An expired version gives one line that says so. */
  watch(path: string, fromVersion: string, listener: WatchListener): () => void {
    const at = placeOf(path);
    const from = Number(fromVersion);
    if (from < this.#forgotten) {
      listener(JSON.stringify({ type: 'ERROR', object: statusOf(410, 'Expired', 'too old resource version') }));
      return () => undefined;
    }
    for (const { version, collection, line } of this.#past) {
      if (version > from && isWithin(at, collection)) listener(line);
    }
    const watch = { at, listener };
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  bookmark(): string {
    const metadata = { resourceVersion: String(this.#version), creationTimestamp: null };
    return JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Workflow', metadata } });
  }

  /** Forgets what happened so far: watches from before are told to list anew. */
  compact(): void {
    this.#forgotten = this.#version;
    this.#past = [];
  }

  #list(at: Place, query: NonNullable<KubeRequest['query']>): ApiAnswer {
    const all = this.objects(at.collection).filter(
      ({ metadata }) => at.namespace === '' || metadata.namespace === at.namespace,
    );
    const from = Number(query['continue'] ?? 0);
    const most = Number(query['limit'] ?? all.length);
    const page = all.slice(from, from + most);
    const rest = from + most < all.length ? { continue: String(from + most) } : {};
    const body = { metadata: { resourceVersion: String(this.#version), ...rest }, items: page };
    return { status: 200, body: stringifyJson(body) };
  }

  #get(at: Place): ApiAnswer {
    const object = this.#find(at);
    return object === undefined ? notFound(at) : { status: 200, body: stringifyJson(object) };
  }

  #create(at: Place, given: StoredObject): ApiAnswer {
    const { name } = given.metadata;
    if (!namePattern.test(name)) return refusal(422, 'Invalid', `metadata.name: ${name} is no name`);
    const place = { ...at, name };
    if (this.#find(place) !== undefined) return refusal(409, 'AlreadyExists', `${name} already exists`);
    const object: StoredObject = {
      ...given,
      metadata: {
        ...given.metadata,
        namespace: at.namespace,
        uid: this.#options.newUid(),
        generation: 1,
        creationTimestamp: this.#options.nowText(),
      },
    };
    const { status: _status, ...rest } = object;
    return this.#admit(undefined, rest) ?? this.#write(place, rest, 'ADDED', 201);
  }

  #patch(at: Place, { body = '[]', contentType }: KubeRequest): ApiAnswer {
    const known = this.#find(at);
    if (known === undefined) return notFound(at);
    const isMerge = contentType === 'application/merge-patch+json';
    const after = (
      isMerge ? mergePatched(known, parseJson(body)) : patched(known, parseJson(body) as readonly PatchOperation[])
    ) as StoredObject;
    if (after.metadata.resourceVersion !== known.metadata.resourceVersion) {
      return refusal(409, 'Conflict', 'the object has been modified');
    }
    if (at.subresource === 'status') return this.#write(at, { ...known, status: after.status }, 'MODIFIED', 200);
    const isEdit = stringifyJson(after.spec) !== stringifyJson(known.spec);
    const metadata = isEdit ? { ...after.metadata, generation: (known.metadata.generation ?? 1) + 1 } : after.metadata;
    const edited = { ...after, status: known.status, metadata };
    return this.#admit(known, edited) ?? this.#write(at, edited, 'MODIFIED', 200);
  }

  #delete(at: Place, { preconditions = {} }: DeleteOptions): ApiAnswer {
    const known = this.#find(at);
    if (known === undefined) return notFound(at);
    const { uid, resourceVersion } = known.metadata;
    const isOther = (preconditions.uid ?? uid) !== uid;
    if (isOther || (preconditions.resourceVersion ?? resourceVersion) !== resourceVersion) {
      return refusal(409, 'Conflict', 'Precondition failed');
    }
    this.#version += 1;
    this.#collections.get(at.collection)?.delete(`${at.namespace}/${at.name}`);
    this.#tell(at, 'DELETED', versioned(known, this.#version));
    return { status: 200, body: '{"kind":"Status","status":"Success"}' };
  }

  #admit(before: StoredObject | undefined, after: StoredObject): ApiAnswer | undefined {
    const against = this.#options.admission?.(before, after);
    return against === undefined ? undefined : refusal(422, 'Invalid', against);
  }

  #write(at: Place, object: StoredObject, type: 'ADDED' | 'MODIFIED', status: number): ApiAnswer {
    this.#version += 1;
    const written = versioned(object, this.#version);
    const collection = this.#collections.get(at.collection) ?? new Map<string, StoredObject>();
    this.#collections.set(at.collection, collection.set(`${at.namespace}/${at.name}`, written));
    return { status, body: this.#tell(at, type, written) };
  }

  #tell(at: Place, type: string, object: StoredObject): string {
    this.onChanged(type, object);
    const text = stringifyJson(object);
    const line = `{"type":"${type}","object":${text}}`;
    this.#past.push({ version: this.#version, collection: `${at.collection}/${at.namespace}`, line });
    for (const watch of [...this.#watches]) {
      if (isWithin(watch.at, `${at.collection}/${at.namespace}`)) watch.listener(line);
    }
    return text;
  }

  #find(at: Place): StoredObject | undefined {
    return this.#collections.get(at.collection)?.get(`${at.namespace}/${at.name}`);
  }
}

interface Place {
  /** Group, version and plural. */
  readonly collection: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

const shape = /^(\/apis?\/.+?)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+)(?:\/(status))?)?$/;

function placeOf(path: string): Place {
  const [, root = '', namespace = '', plural = '', name = '', subresource = ''] = shape.exec(path) ?? [];
  return { collection: `${root}/${plural}`, namespace, name: decodeURIComponent(name), subresource };
}

function isWithin(at: Place, collection: string): boolean {
  return at.namespace === ''
    ? collection.startsWith(`${at.collection}/`)
    : collection === `${at.collection}/${at.namespace}`;
}

function versioned(object: StoredObject, version: number): StoredObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function notFound({ name }: Place): ApiAnswer {
  return refusal(404, 'NotFound', `"${name}" not found`);
}

export function refusal(status: number, reason: string, message: string, retryAfter?: string): ApiAnswer {
  const body = JSON.stringify(statusOf(status, reason, message));
  return retryAfter === undefined ? { status, body } : { status, body, retryAfter };
}

function statusOf(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}
