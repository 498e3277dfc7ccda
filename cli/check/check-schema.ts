import type { z } from 'zod';
import { isRawNumber } from '#core/base/json-text.ts';
import { nearestWord } from '#core/base/nearest-word.ts';
import { taskQueueSpecSchema } from '#core/resources/task-queue.ts';
import { workerPoolSpecSchema } from '#core/resources/worker-pool.ts';
import { findingOf, type Finding } from '../manifest/finding.ts';
import { fieldsOf, type Manifest } from '../manifest/manifest.ts';
import { brokenRules } from './check-rules.ts';

const schemas = { TaskQueue: taskQueueSpecSchema, WorkerPool: workerPoolSpecSchema } as const;

/** What is wrong with the spec of a TaskQueue or WorkerPool, by its schema and then by the rules over it. */
export function checkSchema(manifest: Manifest, kind: keyof typeof schemas): readonly Finding[] {
  const { spec } = fieldsOf(manifest.value);
  if (spec === undefined) return [];
  const schema: z.ZodType = schemas[kind];
  const parsed = schema.safeParse(plainNumbers(spec));
  if (parsed.success) {
    return brokenRules(schema, parsed.data, 'spec').map(({ path, message }) =>
      findingOf(manifest, path, { severity: 'error', message }),
    );
  }
  return parsed.error.issues.flatMap((issue) =>
    placesOf(issue, schema).map(({ path, message }) =>
      findingOf(manifest, path, { severity: 'error', message: message ?? issue.message }),
    ),
  );
}

function placesOf(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
): readonly { readonly path: string; readonly message?: string }[] {
  const path = pathText(issue.path);
  if (issue.code !== 'unrecognized_keys') return [{ path, message: sentenceOf(issue) }];
  const known = Object.keys(shapeAt(schema as unknown as Described, issue.path) ?? {});
  return issue.keys.map((key) => {
    const near = nearestWord(key, known);
    const wayOut = near === undefined ? `known here are ${known.join(', ')}` : `did you mean ${near}?`;
    return { path: `${path}.${key}`, message: `unknown field; ${wayOut}` };
  });
}

const wanted: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'an object',
  record: 'an object',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** In the words of the other checks: `must be …`, `is missing`; what the schema itself has words for keeps them. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.includes('received undefined')
        ? 'is missing'
        : `must be ${wanted[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return issue.message.startsWith('Too small')
        ? `${boundOf(issue.origin)} ${issue.minimum} or more`
        : issue.message;
    case 'too_big':
      return issue.message.startsWith('Too big') ? `${boundOf(issue.origin)} ${issue.maximum} at most` : issue.message;
    default:
      return issue.message;
  }
}

/** Of what a bound speaks. */
function boundOf(origin: string): string {
  if (origin === 'string') return 'its characters must be';
  return origin === 'array' || origin === 'record' ? 'its entries must be' : 'must be';
}

function pathText(path: readonly PropertyKey[]): string {
  return `spec${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')}`;
}

interface Definition {
  readonly shape?: Readonly<Record<string, Described>>;
  readonly innerType?: Described;
  readonly element?: Described;
}

type Described = { readonly def: Definition };

/** What may stand in the object at a path. */
function shapeAt(schema: Described, path: readonly PropertyKey[]): Definition['shape'] {
  let at: Described | undefined = schema;
  const steps = [...path];
  while (at !== undefined) {
    const { innerType, shape, element }: Definition = at.def;
    if (innerType !== undefined) at = innerType;
    else if (steps.length === 0) return shape;
    else at = typeof steps[0] === 'number' ? element : shape?.[String(steps[0])];
    if (innerType === undefined) steps.shift();
  }
  return undefined;
}

/** A number that kept its text is an object to the schemas. */
function plainNumbers(value: unknown): unknown {
  if (isRawNumber(value)) return Number(value.rawJSON);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainNumbers(each)]));
}
