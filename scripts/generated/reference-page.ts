import { resourceNames, type ResourceKind } from '#core/resources/api-group.ts';
import { connectionKeys, connectionSecretType } from '#core/resources/connection.ts';
import { buildCustomResourceDefinition } from '#core/resources/crd/custom-resource-definition.ts';
import type { OpenApiSchema } from '#core/resources/crd/open-api-schema.ts';
import { isShapeRule } from '#core/resources/crd/worded-schema.ts';
import {
  failureTypes,
  podsSchedulableReasons,
  scalingDecisionReasons,
  scalingLimitedReasons,
  taskQueueReasons,
  workerPoolReadyReasons,
  workflowEventReasons,
  workflowReasons,
} from '#core/resources/reasons.ts';
import { buildTable } from './markdown-table.ts';

const reasonTables = {
  'Workflow, condition Succeeded (the column STATE)': workflowReasons,
  'Workflow, type of a failure that no worker raised': failureTypes,
  'Workflow, Kubernetes events': workflowEventReasons,
  'TaskQueue, condition Ready': taskQueueReasons,
  'WorkerPool, condition Ready': workerPoolReadyReasons,
  'WorkerPool, condition ScalingLimited': scalingLimitedReasons,
  'WorkerPool, condition PodsSchedulable': podsSchedulableReasons,
  'WorkerPool, status.lastDecision': scalingDecisionReasons,
} as const;

/** The reference page: every field of every resource, from the descriptions that `kubectl explain` shows as well. */
export function buildReferencePage(): string {
  const kinds = Object.keys(resourceNames) as ResourceKind[];
  const reasons = Object.entries(reasonTables).map(
    ([title, table]) =>
      `### ${title}\n\n${buildTable(
        ['Reason', 'Meaning'],
        Object.entries(table).map(([word, meaning]) => [`\`${word}\``, meaning]),
      )}`,
  );
  return (
    [
      '<!-- Made by npm run generate from core/resources; do not edit. -->',
      '# Reference',
      'Every field of the three resources, the connection Secret, and every reason a condition may have. `kubectl explain workflow.spec` shows the same. An element in another has the fields of spec itself, and `name`, `when` and `onFailure` ([workflows.md](workflows.md)); a task in `link`, `linkError` and `finally` has those from `task` to `waitLimit`.',
      ...kinds.flatMap(buildKindSections),
      buildConnectionSection(),
      '## Reasons',
      ...reasons,
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

function buildKindSections(kind: ResourceKind): string[] {
  const { plural, shortName } = resourceNames[kind];
  const schema = buildCustomResourceDefinition(kind).spec.versions[0].schema.openAPIV3Schema;
  const { spec = {}, status = {} } = schema.properties ?? {};
  return [
    `## ${kind}`,
    `${schema.description ?? ''} Plural \`${plural}\`, short name \`${shortName}\`.`,
    `### ${kind} spec`,
    buildFieldTable(spec, '', true),
    `### ${kind} status`,
    buildFieldTable(status, '', false),
  ];
}

function buildFieldTable(schema: OpenApiSchema, prefix: string, withRules: boolean): string {
  const rows = describeFields(schema, prefix);
  const table = buildTable(['Field', 'Type', 'Default', 'Meaning'], rows);
  const rules = withRules
    ? (schema['x-kubernetes-validations'] ?? []).map(({ message }) => `- ${sentence(message)}`)
    : [];
  return rules.length === 0
    ? table
    : `${table}\n\nThe API server refuses what breaks these rules:\n\n${rules.join('\n')}`;
}

function describeFields(schema: OpenApiSchema, prefix: string): string[][] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const standard = required.has(name) ? '*required*' : showDefault(field);
    return [[`\`${path}\``, typeOf(field), standard, meaningOf(field)], ...describeInner(field, path)];
  });
}

/** Elements nest for ever, and tasks stand in many places: their fields are described once, at spec. */
function describeInner(field: OpenApiSchema, path: string): string[][] {
  const inner = field.items ?? field;
  if (isElement(inner) || isTask(inner) || path === 'map.retry') return [];
  if (field.items?.properties !== undefined) return describeFields(field.items, `${path}[].`);
  return describeFields(field, `${path}.`);
}

function isElement(schema: OpenApiSchema): boolean {
  return schema.properties?.['chain'] !== undefined;
}

/** A task on its own, as in `link`. */
function isTask(schema: OpenApiSchema): boolean {
  return schema.properties?.['kwargs'] !== undefined && schema.properties['over'] === undefined;
}

function typeOf(field: OpenApiSchema): string {
  if (field.enum !== undefined) return field.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (field['x-kubernetes-int-or-string'] === true) return 'quantity';
  if (isElement(field)) return 'element';
  if (isTask(field)) return 'task';
  if (field.items !== undefined) return `list of ${listed(field.items)}`;
  if (typeof field.additionalProperties === 'object') return `map of ${typeOf(field.additionalProperties)}`;
  return field.type === undefined ? 'any JSON' : `${field.type}${boundsOf(field)}`;
}

function listed(items: OpenApiSchema): string {
  if (isElement(items)) return 'elements';
  return isTask(items) ? 'tasks' : typeOf(items);
}

function boundsOf({ minimum, maximum }: OpenApiSchema): string {
  if (typeof maximum !== 'number' || maximum === 2_147_483_647) return '';
  return typeof minimum === 'number' ? ` ${minimum}–${maximum}` : ` up to ${maximum}`;
}

function showDefault(field: OpenApiSchema): string {
  return field['default'] === undefined ? '' : `\`${JSON.stringify(field['default']).replaceAll('"', '')}\``;
}

function meaningOf(field: OpenApiSchema): string {
  // What shape a text has to have is told by its description.
  const rules = (field['x-kubernetes-validations'] ?? [])
    .filter((rule) => !isShapeRule(rule))
    .map(({ message }) => sentence(message));
  return [field.description ?? '', ...(isElement(field) ? [] : rules)].join(' ');
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

function buildConnectionSection(): string {
  const rows = Object.entries(connectionKeys).map(([key, meaning]) => [`\`${key}\``, meaning]);
  return `## Connection\n\nA Secret of type \`${connectionSecretType}\` in the namespace of the objects that name it.\n\n${buildTable(['Key', 'Meaning'], rows)}`;
}
