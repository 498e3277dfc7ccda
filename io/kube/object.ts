/** What every object of the Kubernetes API carries. Times are RFC 3339 text, as they travel. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly uid: string; readonly kind: string; readonly name: string }[];
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** Names an object among those of its resource. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`: what work queues and caches call an object. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function nameOf(key: string): ObjectName {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Whether the first resourceVersion is later than the second. They are decimal numbers that only grow. */
export function isLaterVersion(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return other === undefined;
  return one.length === other.length ? one > other : one.length > other.length;
}
