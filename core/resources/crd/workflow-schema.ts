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
  const spec = unroll(element, element, { levels: unrolledLevels, check: checkInWords });
  return {
    ...spec,
    description: specDescription,
    properties: { ...spec.properties, ...run.properties },
    'x-kubernetes-validations': elementRules,
  };
}

interface Place {
  /** Levels of elements still to be written out inside. */
  readonly levels: number;
  /** What checks that an element is exactly one kind. */
  readonly check: OpenApiSchema;
}

/**
 * A rule in CEL has the better words. But every write, of status too, runs it again on every element, and what it may
 * cost is reckoned by the bounds of all lists around it: so CEL where lists are short, `oneOf` in groups and below.
 */
const checkInWords: OpenApiSchema = { 'x-kubernetes-validations': [exactlyOneRule] };
const checkTersely: OpenApiSchema = { oneOf: elementKinds.map((kind) => ({ required: [kind] })) };
const longLists = ['group', 'header'];

/** The element with its references replaced. */
function unroll(schema: OpenApiSchema, element: OpenApiSchema, place: Place): OpenApiSchema {
  if (isReference(schema)) return unrollReference(schema, element, place);
  const { properties, items } = schema;
  return {
    ...schema,
    ...(properties === undefined ? {} : { properties: unrollProperties(properties, element, place) }),
    ...(items === undefined ? {} : { items: unroll(items, element, place) }),
  };
}

function unrollProperties(
  properties: Readonly<Record<string, OpenApiSchema>>,
  element: OpenApiSchema,
  place: Place,
): Record<string, OpenApiSchema> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, property]) => [
      key,
      unroll(property, element, longLists.includes(key) ? { ...place, check: checkTersely } : place),
    ]),
  );
}

function unrollReference({ description }: OpenApiSchema, element: OpenApiSchema, place: Place): OpenApiSchema {
  if (place.levels === 0) {
    return {
      type: 'object',
      description: description ?? deepDescription,
      'x-kubernetes-preserve-unknown-fields': true,
    };
  }
  const inner = unroll(element, element, { levels: place.levels - 1, check: checkTersely });
  return { ...inner, description: description ?? elementDescription, ...place.check };
}

function isReference(schema: OpenApiSchema): boolean {
  return schema.$ref !== undefined || schema.allOf?.[0]?.$ref !== undefined;
}
