import { Environment } from '@marcbachmann/cel-js';
import type { z } from 'zod';
import { toOpenApiSchema, type OpenApiSchema } from '#core/resources/crd/open-api-schema.ts';

/** A rule of the API server that does not hold, and where. */
export interface BrokenRule {
  readonly path: string;
  readonly message: string;
}

const language = new Environment().registerVariable('self', 'dyn');

/**
 * The CEL rules that the API server holds over an object, evaluated here: `value` is what the schema made of it, with
 * defaults. Rules over the old object are left to the API server, for here is none.
 */
export function brokenRules(schema: z.ZodType, value: unknown, path: string): readonly BrokenRule[] {
  return rulesAt(toOpenApiSchema(schema), value, path);
}

function rulesAt(schema: OpenApiSchema, value: unknown, path: string): readonly BrokenRule[] {
  if (value === undefined) return [];
  const own = (schema['x-kubernetes-validations'] ?? [])
    .filter(({ rule }) => !rule.includes('oldSelf') && !holds(rule, value))
    .map(({ message }) => ({ path, message }));
  return [...own, ...repetitions(schema, value, path), ...rulesWithin(schema, value, path)];
}

/** Of a list in which, by its type, nothing may stand twice. */
function repetitions(schema: OpenApiSchema, value: unknown, path: string): readonly BrokenRule[] {
  const { 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  if (!Array.isArray(value) || type === undefined || type === 'atomic') return [];
  const namesOf = (item: unknown): string =>
    type === 'set' ? String(item) : keys.map((key) => String((item as Record<string, unknown>)[key])).join(' ');
  const names = value.map(namesOf);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    return first === index
      ? []
      : [{ path: `${path}[${index}]`, message: `stands here a second time, as in ${path}[${first}]; take one away` }];
  });
}

function rulesWithin(schema: OpenApiSchema, value: unknown, path: string): readonly BrokenRule[] {
  const { items, properties = {}, additionalProperties: rest } = schema;
  if (Array.isArray(value)) {
    return items === undefined ? [] : value.flatMap((item, index) => rulesAt(items, item, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const inner = properties[key] ?? (typeof rest === 'object' ? rest : undefined);
    return inner === undefined ? [] : rulesAt(inner, each, `${path}.${key}`);
  });
}

/** What cannot be evaluated here is not held against anyone. */
function holds(rule: string, self: unknown): boolean {
  try {
    return language.evaluate(rule, { self }) !== false;
  } catch {
    return true;
  }
}
