import { elementKinds, elementSchema, stepFields } from '../element.ts';
import { elementRules, exactlyOneRule, mapRules } from '../element-rules.ts';
import { runRules } from '../run-rules.ts';
import { runSchema } from '../workflow.ts';
import { wordedSchema, wordedText } from './worded-schema.ts';
import { toOpenApiSchema, type OpenApiSchema } from './open-api-schema.ts';

/** Levels of elements below spec that the API server itself looks at; deeper ones only the operator reads. */
const unrolledLevels = 2;

const kinds = `${elementKinds.slice(0, -1).join(', ')} and ${elementKinds.at(-1) ?? ''}`;
const specDescription = `What to run, and how: exactly one of ${kinds}, with fields for the whole run. Only suspend, cancel, retryFailed, deadline and ttlAfterFinished can be changed once the Workflow exists.`;
const elementDescription = `An element: exactly one of ${kinds}. Elements nest.`;
const deepDescription =
  'An element, written like spec.chain[]. Only the operator reads it, and says in the condition Succeeded what is wrong with it.';

/** The schema of a Workflow's spec: an element, unrolled since CRDs cannot recurse, and the fields of the run. */
export function buildWorkflowSpecSchema(): OpenApiSchema {
  const element = toOpenApiSchema(elementSchema);
  const run = wordedSchema(toOpenApiSchema(runSchema));
  const spec = unroll(element, element, { levels: unrolledLevels, rules: true, words: true });
  const properties = Object.entries({ ...spec.properties, ...run.properties });
  return {
    ...spec,
    description: specDescription,
    properties: Object.fromEntries(properties.filter(([key]) => !Object.hasOwn(stepFields, key))),
    'x-kubernetes-validations': [...elementRules, ...runRules],
  };
}

interface Place {
  /** Levels of elements still to be written out inside. */
  readonly levels: number;
  /** Whether the lists around are short enough for rules in CEL. */
  readonly rules: boolean;
  /** The same for the fields that stand here. */
  readonly words: boolean;
}

/**
 * Every write, of status too, runs the rules in CEL again on every element, and what they may cost is reckoned by the
 * bounds of all lists around them. They have the better words: so CEL where lists are short, `oneOf` in groups and below.
 */
const longLists = ['group', 'header'];
const eachKinds = elementKinds.filter((kind) => kind !== 'map');

/** The element with its references replaced. */
function unroll(schema: OpenApiSchema, element: OpenApiSchema, place: Place): OpenApiSchema {
  if (isReference(schema)) return unrollReference(schema, element, place);
  const { properties, items } = schema;
  return {
    ...(place.words ? wordedText(schema) : schema),
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
    Object.entries(properties).map(([key, property]) => {
      const inner = unroll(property, element, placeIn(key, place));
      return [key, key === 'map' ? finishMap(inner, place) : inner];
    }),
  );
}

function placeIn(key: string, place: Place): Place {
  if (longLists.includes(key)) return { ...place, rules: false, words: false };
  // Lists within a list.
  return isHandlers(key) && !place.rules ? { ...place, words: false } : place;
}

/** No map stands within the element of another, and what excludes what is said by rules. */
function finishMap(map: OpenApiSchema, place: Place): OpenApiSchema {
  const { each, ...fields } = map.properties ?? {};
  if (each === undefined) return map;
  const { map: _, ...eachFields } = each.properties ?? {};
  const rules = place.rules ? { 'x-kubernetes-validations': mapRules } : {};
  const inner =
    each.properties === undefined ? each : { ...each, properties: eachFields, ...checkOf(eachKinds, place) };
  return { ...map, ...rules, properties: { ...fields, each: inner } };
}

function unrollReference({ description }: OpenApiSchema, element: OpenApiSchema, place: Place): OpenApiSchema {
  const { levels } = place;
  if (levels === 0) return open(description ?? deepDescription);
  const inner = unroll(shorten(element, levels), element, { levels: levels - 1, rules: false, words: place.rules });
  return { ...inner, description: description ?? elementDescription, ...checkOf(elementKinds, place) };
}

function checkOf(kinds: readonly string[], { rules }: Place): OpenApiSchema {
  return rules
    ? { 'x-kubernetes-validations': [exactlyOneRule(kinds)] }
    : { oneOf: kinds.map((kind) => ({ required: [kind] })) };
}

/**
 * The element as the levels below spec show it: what stands at spec with all its words is only called to mind, and on the
 * last level left to the operator. A CRD has to stay below 256 KiB, and this stands in it many times.
 */
function shorten(element: OpenApiSchema, levels: number): OpenApiSchema {
  return mapProperties(element, (field, key) => {
    if (levels === 1) return shortenLast(key, field);
    if (isHandlers(key)) return { ...field, items: mapProperties(field.items ?? {}, shortenWords) };
    return key === 'map' ? mapProperties(field, shortenWords) : field;
  });
}

function shortenLast(key: string, field: OpenApiSchema): OpenApiSchema {
  const short = shortenWords(field);
  if (key === 'retry' || key === 'map') return open(short.description ?? '');
  return isHandlers(key) ? { ...short, items: open('A task, written like spec.link[].') } : short;
}

/** The first clause of every description. */
function shortenWords(field: OpenApiSchema): OpenApiSchema {
  const description = `${(field.description ?? '').split(/[.:;](?: |$)/)[0] ?? ''}.`;
  return mapProperties({ ...field, description }, shortenWords);
}

function isHandlers(key: string): boolean {
  return key === 'link' || key === 'linkError';
}

function mapProperties(
  schema: OpenApiSchema,
  change: (field: OpenApiSchema, key: string) => OpenApiSchema,
): OpenApiSchema {
  if (schema.properties === undefined) return schema;
  const properties = Object.entries(schema.properties).map(([key, field]) => [key, change(field, key)] as const);
  return { ...schema, properties: Object.fromEntries(properties) };
}

function open(description: string): OpenApiSchema {
  return { type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true };
}

function isReference(schema: OpenApiSchema): boolean {
  return schema.$ref !== undefined || schema.allOf?.[0]?.$ref !== undefined;
}
