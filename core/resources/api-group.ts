/** The API group and version of every resource here; part of each stored object, so it changes only with a migration. */
export const apiGroup = 'arpeggio.dev';
export const apiVersionName = 'v1alpha1';
export const apiVersion = `${apiGroup}/${apiVersionName}` as const;

/** How the API server names the three kinds: `/apis/arpeggio.dev/v1alpha1/namespaces/<ns>/<plural>/<name>`. */
export const resourceNames = {
  TaskQueue: { kind: 'TaskQueue', plural: 'taskqueues', singular: 'taskqueue', shortName: 'tq' },
  WorkerPool: { kind: 'WorkerPool', plural: 'workerpools', singular: 'workerpool', shortName: 'wp' },
  Workflow: { kind: 'Workflow', plural: 'workflows', singular: 'workflow', shortName: 'awf' },
} as const;

export type ResourceKind = keyof typeof resourceNames;
