import { stringifyJson } from '#core/base/json-text.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { ApiRefusal } from './api-answer.ts';
import type { Place } from './api-place.ts';

export type StoredObject = KubeObject & {
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly [member: string]: unknown;
};

const namePattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const microTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** Plurals whose objects have no generation, for nothing in them is a wish that someone else fulfils. */
const withoutGeneration = new Set(['leases', 'events', 'secrets', 'configmaps', 'pods']);

export function hasGeneration({ collection }: Place): boolean {
  return !withoutGeneration.has(collection.slice(collection.lastIndexOf('/') + 1));
}

/** The name of a new object: its own, or one that chance completes. Throws `ApiRefusal`. */
export function newNameOf(given: StoredObject, at: Place, suffix: () => string): string {
  const { name, namespace = at.namespace, resourceVersion } = given.metadata;
  const { generateName } = given.metadata as { readonly generateName?: string };
  if (namespace !== at.namespace) {
    throw new ApiRefusal(400, 'BadRequest', 'the namespace of the object does not match that of the request');
  }
  if (resourceVersion !== undefined && resourceVersion !== '') {
    throw new ApiRefusal(500, '', 'resourceVersion should not be set on objects to be created');
  }
  // What was parsed may lack what its type promises.
  const own = (name as string | undefined) ?? '';
  const whole = own === '' && generateName !== undefined ? `${generateName}${suffix()}` : own;
  if (!namePattern.test(whole)) throw new ApiRefusal(422, 'Invalid', `metadata.name: Invalid value: "${whole}"`);
  return whole;
}

/** Throws `ApiRefusal` where an object is not what its kind must be. */
export function checkObject(object: StoredObject, { collection }: Place): void {
  if (collection.endsWith('/leases')) checkLease(object);
  if (collection.endsWith('/events')) checkEvent(object);
}

function checkLease({ spec = {} }: StoredObject): void {
  const { renewTime, acquireTime } = spec as { readonly renewTime?: string; readonly acquireTime?: string };
  for (const time of [renewTime, acquireTime]) checkMicroTime(time, 'Lease');
}

function checkEvent(event: StoredObject): void {
  const {
    eventTime,
    note = '',
    type,
    series,
  } = event as StoredObject & {
    readonly eventTime?: string;
    readonly note?: string;
    readonly type?: string;
    readonly series?: { readonly lastObservedTime?: string };
  };
  checkMicroTime(eventTime, 'Event');
  checkMicroTime(series?.lastObservedTime, 'Event');
  for (const member of ['eventTime', 'action', 'reason', 'reportingController', 'reportingInstance']) {
    if (event[member] === undefined) throw new ApiRefusal(422, 'Invalid', `${member}: Required value`);
  }
  if (Buffer.byteLength(note) > 1_024) throw new ApiRefusal(422, 'Invalid', 'note: can have at most 1024 characters');
  if (type !== 'Normal' && type !== 'Warning') throw new ApiRefusal(422, 'Invalid', `type: Invalid value: "${type}"`);
}

function checkMicroTime(time: string | undefined, kind: string): void {
  if (time === undefined || microTimePattern.test(time)) return;
  throw new ApiRefusal(400, 'BadRequest', `${kind} in version "v1" cannot be handled: parsing time "${time}"`);
}

/**
 * What a change of an object makes of it. Through `status` only the status changes, else all but the status; what the
 * server owns stays, and a changed wish raises the generation. Throws `ApiRefusal`.
 */
export function changedObject(known: StoredObject, wanted: StoredObject, at: Place): StoredObject {
  checkIdentity(known, wanted, at);
  if (at.subresource === 'status') return withStatus(known, wanted.status);
  const { uid = '', creationTimestamp = '', namespace = '' } = known.metadata;
  const metadata = { ...wanted.metadata, uid, creationTimestamp, namespace };
  const next = withStatus({ ...wanted, metadata }, known.status);
  return hasGeneration(at) ? { ...next, metadata: { ...metadata, generation: generationOf(known, next) } } : next;
}

function checkIdentity({ metadata: known }: StoredObject, { metadata: wanted }: StoredObject, { name }: Place): void {
  if (wanted.resourceVersion !== known.resourceVersion) {
    throw new ApiRefusal(409, 'Conflict', `Operation cannot be fulfilled on "${name}": the object has been modified`);
  }
  if (wanted.uid !== known.uid || wanted.name !== known.name) {
    throw new ApiRefusal(422, 'Invalid', 'metadata.uid: Invalid value: field is immutable');
  }
}

function generationOf(known: StoredObject, next: StoredObject): number {
  const { generation = 1 } = known.metadata;
  return stringifyJson(next.spec ?? null) === stringifyJson(known.spec ?? null) ? generation : generation + 1;
}

function withStatus(object: StoredObject, status: unknown): StoredObject {
  const { status: _other, ...rest } = object;
  return status === undefined ? rest : { ...rest, status };
}
