import { z } from 'zod';

/** The part of OpenAPI v3 that a CRD may hold, as plain JSON; only the keys that are worked on have names here. */
export interface OpenApiSchema {
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, OpenApiSchema>;
  required?: string[];
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema | boolean;
  allOf?: OpenApiSchema[];
  anyOf?: OpenApiSchema[];
  oneOf?: OpenApiSchema[];
  enum?: unknown[];
  $ref?: string;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-validations'?: readonly ValidationRule[];
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: readonly string[];
  [key: string]: unknown;
}

/** A CEL rule of a CRD: the API server refuses an object for which it is false, with the message. */
export interface ValidationRule {
  readonly rule: string;
  readonly message: string;
}

/**
 * A zod schema in the dialect of CRDs. Recursion comes out as `$ref: '#'`, for the caller to unroll; everything else is
 * inlined. What API servers refuse or do not need (`const`, `additionalProperties: false`, the bounds of JavaScript's
 * integers) is taken out: unknown fields are pruned or refused by the API server itself.
 */
export function toOpenApiSchema(schema: z.ZodType): OpenApiSchema {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    cycles: 'ref',
    override: ({ jsonSchema }) => {
      adapt(jsonSchema as OpenApiSchema);
    },
  }) as OpenApiSchema;
}

function adapt(schema: OpenApiSchema): void {
  for (const key of ['propertyNames', '$schema', 'id']) Reflect.deleteProperty(schema, key);
  if (schema['x-kubernetes-int-or-string'] === true) {
    delete schema.type;
    schema.anyOf = [{ type: 'integer' }, { type: 'string' }];
  }
  const { additionalProperties: rest } = schema;
  if (typeof rest === 'object' && rest['x-kubernetes-preserve-unknown-fields'] === true) {
    // The same values, but now CEL rules may ask whether the field is there.
    delete schema.additionalProperties;
    schema['x-kubernetes-preserve-unknown-fields'] = true;
  }
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.type === 'integer') adaptInteger(schema);
}

function adaptInteger(schema: OpenApiSchema): void {
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  schema.format ??= 'int64';
}
