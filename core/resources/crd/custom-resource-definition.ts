import { apiGroup, apiVersionName, resourceNames, type ResourceKind } from '../api-group.ts';
import { taskQueueSpecSchema, taskQueueStatusSchema } from '../task-queue.ts';
import { workerPoolNameRule, workerPoolSpecSchema, workerPoolStatusSchema } from '../worker-pool.ts';
import { workflowStatusSchema } from '../workflow-status.ts';
import { toOpenApiSchema, type OpenApiSchema, type ValidationRule } from './open-api-schema.ts';
import { printerColumns, type PrinterColumn } from './printer-columns.ts';
import { wordedSchema } from './worded-schema.ts';
import { buildWorkflowSpecSchema } from './workflow-schema.ts';

/** A CustomResourceDefinition, with what is read of it by name. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: Readonly<Record<string, unknown>>;
    readonly scope: 'Namespaced';
    readonly versions: readonly [CustomResourceVersion];
  };
}

export interface CustomResourceVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly additionalPrinterColumns: readonly PrinterColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
  readonly subresources: Readonly<Record<string, unknown>>;
  readonly schema: { readonly openAPIV3Schema: OpenApiSchema };
}

interface Part {
  readonly description: string;
  readonly spec: () => OpenApiSchema;
  readonly status: () => OpenApiSchema;
  readonly rules?: readonly ValidationRule[];
  readonly scale?: Readonly<Record<string, string>>;
  readonly selectableFields?: readonly string[];
}

const parts: Readonly<Record<ResourceKind, Part>> = {
  TaskQueue: {
    description: 'A TaskQueue is a queue of Celery tasks: where it lies and which tasks go there.',
    // Every field of it has a default, so that a queue may be a name and nothing else.
    spec: () => ({ ...wordedSchema(toOpenApiSchema(taskQueueSpecSchema)), default: {} }),
    status: () => toOpenApiSchema(taskQueueStatusSchema),
  },
  WorkerPool: {
    description:
      'A WorkerPool is a set of like workers for some queues, on some kind of node, as many as the work asks for.',
    spec: () => wordedSchema(toOpenApiSchema(workerPoolSpecSchema)),
    status: () => toOpenApiSchema(workerPoolStatusSchema),
    rules: [workerPoolNameRule],
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
  },
  Workflow: {
    description: "A Workflow is a run of Celery's canvas: tasks in chains, groups and chords, as nested as you like.",
    spec: buildWorkflowSpecSchema,
    status: () => toOpenApiSchema(workflowStatusSchema),
    selectableFields: ['.status.state'],
  },
};

/** The CRD of one kind, as it goes to the API server. */
export function buildCustomResourceDefinition(kind: ResourceKind): CustomResourceDefinition {
  const { plural, singular, shortName } = resourceNames[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}` },
    spec: {
      group: apiGroup,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ['arpeggio'] },
      scope: 'Namespaced',
      versions: [buildVersion(kind)],
    },
  };
}

function buildVersion(kind: ResourceKind): CustomResourceVersion {
  const { scale, selectableFields } = parts[kind];
  return {
    name: apiVersionName,
    served: true,
    storage: true,
    additionalPrinterColumns: printerColumns[kind],
    ...(selectableFields === undefined ? {} : { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }),
    subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
    schema: { openAPIV3Schema: buildObjectSchema(kind) },
  };
}

function buildObjectSchema(kind: ResourceKind): OpenApiSchema {
  const { description, spec, status, rules } = parts[kind];
  return {
    type: 'object',
    description,
    required: ['spec'],
    ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
    properties: {
      apiVersion: {
        type: 'string',
        maxLength: 253,
        description: 'The version of the schema of this object: arpeggio.dev/v1alpha1.',
      },
      kind: { type: 'string', maxLength: 63, description: `The kind of this object: ${kind}.` },
      // The API server describes metadata itself and forbids us to.
      metadata: { type: 'object' },
      spec: spec(),
      status: status(),
    },
  };
}
