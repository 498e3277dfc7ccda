import { describe, expect, test } from 'vitest';
import { resourceNames, type ResourceKind } from '#core/resources/api-group.ts';
import { buildCustomResourceDefinition } from '#core/resources/crd/custom-resource-definition.ts';
import type { OpenApiSchema } from '#core/resources/crd/open-api-schema.ts';
import { findStructuralViolations } from '#core/resources/crd/structural-violations.ts';
import * as reasons from '#core/resources/reasons.ts';

const kinds = Object.keys(resourceNames) as ResourceKind[];

function schemaOf(kind: ResourceKind): OpenApiSchema {
  return buildCustomResourceDefinition(kind).spec.versions[0].schema.openAPIV3Schema;
}

/** The schema at a path such as `spec.chain[].group[]`. */
function schemaAt(kind: ResourceKind, path: string): OpenApiSchema {
  return path.split('.').reduce<OpenApiSchema>((schema, word) => {
    const property = schema.properties?.[word.replace('[]', '')];
    return (word.endsWith('[]') ? property?.items : property) ?? {};
  }, schemaOf(kind));
}

function fieldNames(schema: OpenApiSchema | undefined): string[] {
  return Object.keys(schema?.properties ?? {});
}

describe('the structural checker', () => {
  const text = { type: 'string', maxLength: 9, description: 'd' };
  test.each([
    {
      why: 'a field without description',
      schema: { type: 'object', properties: { a: { type: 'boolean' } } },
      says: 'x.a: has no description',
    },
    { why: 'a reference', schema: { type: 'object', $ref: '#' }, says: 'x: holds $ref' },
    { why: 'no type', schema: { description: 'd' }, says: 'x: has no single type' },
    { why: 'a list without bound', schema: { type: 'array', items: text }, says: 'x: is a list without a bound' },
    {
      why: 'text without bound, deep inside',
      schema: {
        type: 'array',
        maxItems: 1,
        items: { type: 'object', properties: { a: { type: 'string', description: 'd' } } },
      },
      says: 'x[].a: is text without a bound',
    },
    {
      why: 'a type within a choice',
      schema: { type: 'object', oneOf: [{ type: 'object' }] },
      says: 'x: gives a type within a choice',
    },
    {
      why: 'a closed map',
      schema: { type: 'object', additionalProperties: false },
      says: 'x: has a boolean additionalProperties',
    },
    {
      why: 'a map with properties',
      schema: { type: 'object', properties: { a: text }, additionalProperties: text },
      says: 'x: has both properties and additionalProperties',
    },
  ])('finds $why', ({ schema, says }) => {
    expect(findStructuralViolations(schema, 'x')).toContain(says);
  });
});

describe.each(kinds)('the CRD of %s', (kind) => {
  test('is structural, described and bounded throughout', () => {
    expect(findStructuralViolations(schemaOf(kind), kind)).toEqual([]);
  });

  test('fits into the annotation of plain kubectl apply', () => {
    expect(JSON.stringify(buildCustomResourceDefinition(kind)).length).toBeLessThan(256 * 1024);
  });

  test('has conditions as a map by type', () => {
    expect(schemaAt(kind, 'status.conditions')).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    });
  });
});

describe('the Workflow CRD', () => {
  const step = ['name', 'when', 'onFailure'];
  const itemTask = [
    ...['task', 'args', 'kwargs', 'queue', 'priority', 'countdown', 'eta', 'expires', 'retry'],
    ...['timeLimit', 'softTimeLimit', 'waitLimit'],
  ];
  const task = [...itemTask.slice(0, 3), 'immutable', ...itemTask.slice(3)];
  const element = [...task, 'link', 'linkError', 'chain', 'group', 'chord', 'map'];
  const map = [...itemTask, 'over', 'range', 'unpack', 'chunk', 'each'];
  const run = [
    ...['finally', 'defaultQueue', 'deadline', 'ttlAfterFinished', 'suspend', 'cancel', 'retryFailed'],
    ...['maxParallel', 'showResult'],
  ];

  test.each([
    { path: 'spec', offers: [...element, ...run] },
    { path: 'spec.link[]', offers: task },
    { path: 'spec.finally[]', offers: task },
    { path: 'spec.map', offers: map },
    { path: 'spec.map.each', offers: [...step, ...element.filter((key) => key !== 'map')] },
    { path: 'spec.chain[]', offers: [...step, ...element] },
    { path: 'spec.chain[].link[]', offers: task },
    { path: 'spec.chain[].map', offers: map },
    { path: 'spec.chain[].group[]', offers: [...step, ...element] },
    { path: 'spec.retry', offers: ['maxRetries', 'backoff', 'maxBackoff', 'jitter', 'for', 'escalateTo', 'onLost'] },
  ])('offers at $path what is read there', ({ path, offers }) => {
    expect(fieldNames(schemaAt('Workflow', path))).toEqual(offers);
  });

  test.each(['chain[]', 'map', 'retry', 'link[]'])('is open below the second level: %s', (field) => {
    const below = schemaAt('Workflow', `spec.chain[].group[].${field}`);
    expect(below).toMatchObject({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
    expect(fieldNames(below)).toEqual([]);
  });

  test('sets no defaults, for they would change the frozen spec of live runs', () => {
    expect(JSON.stringify(schemaAt('Workflow', 'spec'))).not.toContain('"default"');
  });

  test.each([
    'spec.timeLimit',
    'spec.deadline',
    'spec.finally[].expires',
    'spec.chain[].retry.backoff',
    'spec.chain[].eta',
  ])('says in words what %s has to look like', (path) => {
    const text = schemaAt('Workflow', path);
    expect(text).not.toHaveProperty('pattern');
    expect(text['x-kubernetes-validations']?.[0]?.message).toMatch(/^is (no|neither) .*; write /);
  });

  test('leaves shapes within long lists to expressions, which cost nothing', () => {
    for (const path of ['spec.group[].timeLimit', 'spec.chain[].chain[].timeLimit', 'spec.chain[].link[].timeLimit'])
      expect(schemaAt('Workflow', path)).toHaveProperty('pattern');
  });

  test('runs no CEL over the members of groups, which are looked at again with every status', () => {
    expect(schemaAt('Workflow', 'spec.chain[]')['x-kubernetes-validations']).toBeDefined();
    for (const path of ['spec.group[]', 'spec.chord.header[]']) {
      expect(JSON.stringify(schemaAt('Workflow', path))).not.toContain('x-kubernetes-validations');
      expect(schemaAt('Workflow', path).oneOf).toHaveLength(5);
    }
  });
});

test.each(['Workflow', 'TaskQueue', 'WorkerPool'] as const)(
  'no field of a %s is what YAML 1.1 takes for true or false',
  (kind) => {
    const names = [...JSON.stringify(buildCustomResourceDefinition(kind)).matchAll(/"([^"]+)":\{/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => /^(y|n|yes|no|on|off|true|false)$/i.test(name ?? ''))).toEqual([]);
  },
);

test('every reason is a word that a condition takes, with a sentence', () => {
  const tables = Object.values(reasons) as Readonly<Record<string, string>>[];
  expect(tables.length).toBeGreaterThanOrEqual(6);
  for (const [reason, meaning] of tables.flatMap((table) => Object.entries(table))) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(meaning).toMatch(/^[A-Za-z].*\.$/);
  }
});
