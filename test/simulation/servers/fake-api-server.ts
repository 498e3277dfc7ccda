import { canonicalJson, parseJson, stringifyJson } from '#core/base/json-text.ts';
import type { KubeRequest } from '#io/kube/client.ts';
import { ApiRefusal, refusal, type ApiAnswer } from './api-answer.ts';
import { ApiHistory, type ChangeType, type Past, type Watching } from './api-history.ts';
import { keyAt, placeOf, type Place } from './api-place.ts';
import { isSelected } from './label-selector.ts';
import { changedObject, checkObject, hasGeneration, newNameOf, type StoredObject } from './object-rules.ts';
import { ServerSideApply } from './server-side-apply.ts';
import { mergePatched, PatchRefused, patched, type PatchOperation } from './patch.ts';

interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface ApiServerOptions {
  readonly nowText: () => string;
  readonly newUid: () => string;
  /** What admission says against a change of an object: throws `ApiRefusal`. */
  readonly admission?: (before: StoredObject, after: StoredObject, at: Place) => void;
}

/** What one request may weigh. */
const mostBytes = 3 * 1024 * 1024;
/** What etcd takes of one object. */
const mostStoredBytes = 1.5 * 1024 * 1024;

/**
 * What of the Kubernetes API our client speaks, in memory: versions, conflicts, watches from a version, a forgotten past.
 * `test/conformance/kube-suite.ts` holds it to the real one.
 */
export class FakeApiServer {
  /** Told of each change as it is made, with what stood there before. */
  onChanged: (type: ChangeType, object: StoredObject, before: StoredObject | undefined) => void = () => undefined;
  readonly #options: ApiServerOptions;
  readonly #history = new ApiHistory();
  /** By collection path without the namespace, then by `namespace/name`. */
  readonly #collections = new Map<string, Map<string, StoredObject>>();
  /** Lists of which further pages may be asked for: all of a moment. */
  readonly #pages = new Map<string, { readonly version: number; readonly rest: readonly StoredObject[] }>();
  readonly #applies = new ServerSideApply();
  #version = 1;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  objects(collection: string): readonly StoredObject[] {
    return [...(this.#collections.get(collection)?.values() ?? [])];
  }

  handle(request: KubeRequest): ApiAnswer {
    try {
      const { body = '' } = request;
      if (body.length > mostBytes) throw new ApiRefusal(413, 'RequestEntityTooLarge', `limit is ${mostBytes}`);
      const at = placeOf(request.path);
      const answer = this.#answer(at, request);
      return request.accept?.includes('as=PartialObjectMetadata') === true ? this.#metadataAlone(at, answer) : answer;
    } catch (error) {
      if (error instanceof ApiRefusal) return error.answer;
      if (error instanceof PatchRefused) return refusal(422, 'Invalid', error.message);
      if (error instanceof SyntaxError) return refusal(400, 'BadRequest', error.message);
      throw error;
    }
  }

  #metadataAlone(at: Place, { status }: ApiAnswer): ApiAnswer {
    const { metadata } = this.#find(at);
    const object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    return { status, body: stringifyJson(object) };
  }

  #answer(at: Place, request: KubeRequest): ApiAnswer {
    const { method, query = {}, body = '{}' } = request;
    switch (method) {
      case 'GET':
        return at.name === '' ? this.#list(at, query) : { status: 200, body: stringifyJson(this.#find(at)) };
      case 'POST':
        return this.#create(at, parseJson(body) as StoredObject);
      case 'PATCH':
        return this.#patch(at, request);
      case 'PUT':
        return this.#replace(at, parseJson(body) as StoredObject);
      case 'DELETE':
        return this.#delete(at, JSON.parse(body) as DeleteOptions);
    }
  }

  /**
   * What happened after a version, then what happens; the function ends it. A version that is forgotten gives one line
   * that says so.
   */
  watch(request: Pick<KubeRequest, 'path' | 'query'>, watching: Omit<Watching, 'at' | 'labelSelector'>): () => void {
    const { resourceVersion = '', labelSelector = '' } = request.query ?? {};
    const watch = { ...watching, at: placeOf(request.path), labelSelector: String(labelSelector) };
    return this.#history.watch(Number(resourceVersion), watch);
  }

  bookmark(): string {
    const metadata = { resourceVersion: String(this.#version), creationTimestamp: null };
    return JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Workflow', metadata } });
  }

  /** Forgets what happened so far: watches from before are told to list anew, and so are lists that were begun. */
  compact(): void {
    this.#history.forget(this.#version);
    this.#pages.clear();
  }

  /** Tells open watches nothing any more, though they stay open: a network that died. */
  mute(): void {
    this.#history.mute();
  }

  /** Cuts every watch. */
  cut(): void {
    this.#history.cut();
  }

  #list(at: Place, query: NonNullable<KubeRequest['query']>): ApiAnswer {
    const token = String(query['continue'] ?? '');
    const begun = token === '' ? this.#begunList(at, String(query['labelSelector'] ?? '')) : this.#pages.get(token);
    if (begun === undefined) return refusal(410, 'Expired', 'The provided continue parameter is too old');
    const { version, rest } = begun;
    const most = Number(query['limit'] ?? rest.length);
    const metadata = { resourceVersion: String(version), ...this.#further(version, rest.slice(most)) };
    return { status: 200, body: stringifyJson({ metadata, items: rest.slice(0, most) }) };
  }

  #begunList(at: Place, labelSelector: string) {
    const rest = this.objects(at.collection)
      .filter(({ metadata }) => at.namespace === '' || metadata.namespace === at.namespace)
      .filter(({ metadata }) => isSelected(metadata.labels, labelSelector))
      .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
    return { version: this.#version, rest };
  }

  /** Later pages are of the moment of the first. */
  #further(version: number, rest: readonly StoredObject[]): { continue?: string } {
    if (rest.length === 0) return {};
    const token = `${version}-${rest.length}-${keyOf(rest[0]!)}`;
    this.#pages.set(token, { version, rest });
    return { continue: token };
  }

  #create(at: Place, given: StoredObject): ApiAnswer {
    const { newUid, nowText } = this.#options;
    const name = newNameOf(given, at, () => newUid().slice(-5));
    const place = { ...at, name };
    if (this.#known(place) !== undefined) return refusal(409, 'AlreadyExists', `"${name}" already exists`);
    const { status: _status, ...rest } = given;
    const counted = hasGeneration(at) ? { generation: 1 } : {};
    const metadata = {
      ...{ ...given.metadata, name, namespace: at.namespace, uid: newUid() },
      ...{ ...counted, creationTimestamp: nowText() },
    };
    return { status: 201, body: this.#write(place, { ...rest, metadata }, undefined) };
  }

  #patch(at: Place, { body = '[]', contentType }: KubeRequest): ApiAnswer {
    if (contentType === 'application/apply-patch+yaml') return this.#apply(at, parseJson(body) as StoredObject);
    const known = this.#find(at);
    const patch = parseJson(body);
    const isMerge = contentType === 'application/merge-patch+json';
    const wanted = isMerge ? mergePatched(known, patch) : patched(known, patch as readonly PatchOperation[]);
    return this.#change(at, known, wanted as StoredObject);
  }

  #apply(at: Place, stated: StoredObject): ApiAnswer {
    const known = this.#known(at);
    // What is gone is made anew, whatever version was meant.
    const { resourceVersion: _meant, ...metadata } = stated.metadata;
    const answer =
      known === undefined
        ? this.#create(at, { ...stated, metadata })
        : this.#change(at, known, this.#applies.appliedTo(known, stated));
    const { uid = '' } = this.#find(at).metadata;
    this.#applies.note(uid, stated);
    return answer;
  }

  #replace(at: Place, wanted: StoredObject): ApiAnswer {
    const known = this.#known(at);
    const { resourceVersion = '', uid } = wanted.metadata;
    // Whoever names a UID means that one object, also where there is none any more.
    if (uid !== undefined && uid !== known?.metadata.uid) throw new ApiRefusal(409, 'Conflict', 'Precondition failed');
    if (known === undefined) throw notFound(at);
    if (resourceVersion === '') throw new ApiRefusal(422, 'Invalid', 'metadata.resourceVersion: must be specified');
    return this.#change(at, known, { ...wanted, metadata: { ...wanted.metadata, uid: known.metadata.uid ?? '' } });
  }

  #change(at: Place, known: StoredObject, wanted: StoredObject): ApiAnswer {
    const next = changedObject(known, wanted, at);
    if (at.subresource === '') this.#options.admission?.(known, next, at);
    // A change that changes nothing is no change: no new version, and no watch is told.
    const isSame = canonicalJson(next) === canonicalJson(known);
    return { status: 200, body: isSame ? stringifyJson(known) : this.#write(at, next, known) };
  }

  #delete(at: Place, { preconditions = {} }: DeleteOptions): ApiAnswer {
    const known = this.#find(at);
    const { uid, resourceVersion } = known.metadata;
    const isOther = (preconditions.uid ?? uid) !== uid;
    if (isOther || (preconditions.resourceVersion ?? resourceVersion) !== resourceVersion) {
      throw new ApiRefusal(409, 'Conflict', 'Precondition failed');
    }
    this.#version += 1;
    this.#collections.get(at.collection)?.delete(keyAt(at));
    const object = versioned(known, this.#version);
    this.#tell('DELETED', { at, object, before: known, text: stringifyJson(object) });
    return { status: 200, body: '{"kind":"Status","status":"Success"}' };
  }

  /** Returns the object's text. Throws `ApiRefusal`. */
  #write(at: Place, object: StoredObject, before: StoredObject | undefined): string {
    checkObject(object, at);
    const written = versioned(object, this.#version + 1);
    const text = stringifyJson(written);
    if (Buffer.byteLength(text) > mostStoredBytes) throw new ApiRefusal(500, '', 'etcdserver: request is too large');
    this.#version += 1;
    const collection = this.#collections.get(at.collection) ?? new Map<string, StoredObject>();
    this.#collections.set(at.collection, collection.set(keyAt(at), written));
    this.#tell(before === undefined ? 'ADDED' : 'MODIFIED', { at, object: written, before, text });
    return text;
  }

  #tell(type: ChangeType, change: Omit<Past, 'type' | 'version'>): void {
    this.onChanged(type, change.object, change.before);
    this.#history.tell({ ...change, type, version: this.#version });
  }

  #known(at: Place): StoredObject | undefined {
    return this.#collections.get(at.collection)?.get(keyAt(at));
  }

  /** Throws `ApiRefusal`. */
  #find(at: Place): StoredObject {
    const known = this.#known(at);
    if (known === undefined) throw notFound(at);
    return known;
  }
}

function keyOf({ metadata }: StoredObject): string {
  return keyAt({ namespace: metadata.namespace ?? '', name: metadata.name });
}

function versioned(object: StoredObject, version: number): StoredObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function notFound({ name }: Place): ApiRefusal {
  return new ApiRefusal(404, 'NotFound', `"${name}" not found`);
}
