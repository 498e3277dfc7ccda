import { z } from 'zod';
import { elementKinds, elementRules, elementSchema, exactlyOneRule } from '../element.ts';
import { runFields } from '../workflow.ts';
import { toOpenApiSchema, type OpenApiSchema } from './open-api-schema.ts';

/** Levels of elements below spec that the API server itself looks at; deeper ones only the operator reads. */
const unrolledLevels = 2;

const specDescription =
  'What to run, and how: exactly one of task, chain, group and chord, with fields for the whole run. It cannot be changed once the Workflow exists.';
const elementDescription = 'An element: exactly one of task, chain, group and chord. Elements nest.';
const deepDescription =
  'An element, written like spec.chain[]: exactly one of task, chain, group and chord. Read by the operator, which says in the condition Succeeded what is wrong with it.';

/** The schema of a Workflow's spec: an element, unrolled since CRDs cannot recurse, and the fields of the run. */
export function buildWorkflowSpecSchema(): OpenApiSchema {
  const element = toOpenApiSchema(elementSchema);
  const run = toOpenApiSchema(z.strictObject(runFields));
  const spec = unroll(element, element, unrolledLevels);
  return {
    ...spec,
    description: specDescription,
    properties: { ...spec.properties, ...run.properties },
    'x-kubernetes-validations': elementRules,
  };
}

/** The element with its references replaced; `levels` more of elements inside it, and open below. */
function unroll(schema: OpenApiSchema, element: OpenApiSchema, levels: number): OpenApiSchema {
  if (isReference(schema)) return unrollReference(schema, element, levels);
  const { properties, items } = schema;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : { properties: mapValues(properties, (property) => unroll(property, element, levels)) }),
    ...(items === undefined ? {} : { items: unroll(items, element, levels) }),
  };
}

function unrollReference(reference: OpenApiSchema, element: OpenApiSchema, levels: number): OpenApiSchema {
  const description = reference.description;
  if (levels === 0) {
    return {
      type: 'object',
      description: description ?? deepDescription,
      'x-kubernetes-preserve-unknown-fields': true,
    };
  }
  const inner = unroll(element, element, levels - 1);
  // CEL has the better words, but what it may cost is reckoned by the bounds of all lists around it: one level, one rule.
  const exactlyOne: OpenApiSchema =
    levels === unrolledLevels
      ? { 'x-kubernetes-validations': [exactlyOneRule] }
      : { oneOf: elementKinds.map((kind) => ({ required: [kind] })) };
  return { ...inner, description: description ?? elementDescription, ...exactlyOne };
}

function isReference(schema: OpenApiSchema): boolean {
  return schema.$ref !== undefined || schema.allOf?.[0]?.$ref !== undefined;
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
