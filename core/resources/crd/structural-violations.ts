import type { OpenApiSchema } from './open-api-schema.ts';

const forbiddenKeys = [
  '$ref',
  'const',
  'definitions',
  'patternProperties',
  'dependencies',
  'deprecated',
  'discriminator',
  'readOnly',
  'writeOnly',
  'xml',
  'id',
  '$schema',
  'allOf',
];

/**
 * What the API server would refuse in a CRD's schema, or what we promise ourselves: a path and a sentence each. The rules
 * are those of structural schemas (Kubernetes documentation, "Specifying a structural schema"), and that every property
 * has a description and every list a bound.
 */
export function findStructuralViolations(schema: OpenApiSchema, path: string): string[] {
  return [
    ...checkHere(schema, path),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, property]) => [
      ...(property.description === undefined && key !== 'metadata' ? [`${path}.${key}: has no description`] : []),
      ...findStructuralViolations(property, `${path}.${key}`),
    ]),
    ...(schema.items === undefined ? [] : findStructuralViolations(schema.items, `${path}[]`)),
    ...(typeof schema.additionalProperties === 'object'
      ? findStructuralViolations(schema.additionalProperties, `${path}.*`)
      : []),
  ];
}

/** Each rule: what it says when it is broken. */
const rules: Readonly<Record<string, (schema: OpenApiSchema) => boolean>> = {
  'has no single type': (schema) => typeof schema.type !== 'string' && !isOpen(schema),
  'has both properties and additionalProperties': (schema) =>
    schema.properties !== undefined && schema.additionalProperties !== undefined,
  'has a boolean additionalProperties': (schema) => typeof schema.additionalProperties === 'boolean',
  'is a list without items': (schema) => schema.type === 'array' && schema.items === undefined,
  'is a list without a bound': (schema) => schema.type === 'array' && typeof schema['maxItems'] !== 'number',
  'is text without a bound': (schema) =>
    schema.type === 'string' && schema.enum === undefined && typeof schema['maxLength'] !== 'number',
  'gives a type within a choice': (schema) =>
    !isOpen(schema) &&
    [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].some((choice) => 'type' in choice || 'description' in choice),
};

function checkHere(schema: OpenApiSchema, path: string): string[] {
  const forbidden = forbiddenKeys.filter((key) => key in schema).map((key) => `${path}: holds ${key}`);
  const broken = Object.entries(rules).filter(([, isBroken]) => isBroken(schema));
  return [...forbidden, ...broken.map(([words]) => `${path}: ${words}`)];
}

function isOpen(schema: OpenApiSchema): boolean {
  return schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
}
