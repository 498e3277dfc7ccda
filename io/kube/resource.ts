import type { ObjectName } from './object.ts';

/** A resource of the Kubernetes API, as its URLs name it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  /** Users' numbers travel through these objects, so their text is kept (core/base/json-text.ts). Parsing is slower. */
  readonly keepsNumberText?: boolean;
}

const arpeggio = { group: 'arpeggio.dev', version: 'v1alpha1' } as const;

/** Every resource that the operator touches. */
export const resources = {
  workflows: { ...arpeggio, plural: 'workflows', kind: 'Workflow', keepsNumberText: true },
  taskQueues: { ...arpeggio, plural: 'taskqueues', kind: 'TaskQueue' },
  workerPools: { ...arpeggio, plural: 'workerpools', kind: 'WorkerPool' },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' },
  pods: { group: '', version: 'v1', plural: 'pods', kind: 'Pod' },
  secrets: { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' },
  events: { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' },
} as const satisfies Record<string, Resource>;

export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The path of a resource's list, of one namespace or of all. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource.plural}`;
}

/** The path of one object, or of a subresource such as `status`. */
export function objectPath(resource: Resource, { namespace, name }: ObjectName, subresource?: string): string {
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
