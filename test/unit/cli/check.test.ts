import { describe, expect, test } from 'vitest';
import { checkManifests } from '#cli/check/check-manifests.ts';
import { missingFromModules } from '#cli/check/check-tasks.ts';
import { findingText } from '#cli/manifest/finding.ts';
import { parseManifests } from '#cli/manifest/parse-manifests.ts';

function check(text: string, known?: readonly string[]): readonly string[] {
  const { manifests } = parseManifests({ name: 'f.yaml', text });
  const tasks =
    known === undefined
      ? undefined
      : ({ known: new Set(known), severity: 'warning', missing: missingFromModules } as const);
  return checkManifests(manifests, tasks).findings.map(findingText);
}

const object = (kind: string, spec: string, name = 'x'): string =>
  `apiVersion: arpeggio.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n${spec.replaceAll(/^/gm, '  ')}\n`;

describe('what is wrong with a Workflow is told with its line, field, value and the way out', () => {
  test.each([
    [
      'chian: []',
      [
        'f.yaml:5:3: error: spec.chian: unknown field; did you mean chain?',
        'f.yaml:4:1: error: spec: does not say what to run',
      ],
    ],
    ['task: load\nargs: 5', ['f.yaml:6:3: error: spec.args: must be a list; it is 5']],
    [
      'chain:\n  - task: a\n  - group:\n      - task: "b c"',
      ['f.yaml:8:11: error: spec.chain[1].group[0].task: is no task name'],
    ],
    ['task: a\nchain: []', ['error: spec: has task and chain side by side']],
    ['task: a\nretry: { maxRetries: many }', ['f.yaml:6:12: error: spec.retry.maxRetries']],
    ['task: a\ncountdown: soon', ['f.yaml:6:3: error: spec.countdown', 'it is "soon"']],
  ])('%j', (spec, said) => {
    const all = check(object('Workflow', spec)).join('\n');
    for (const each of said) expect(all).toContain(each);
  });

  test('all of it, not only the first', () => {
    expect(
      check(object('Workflow', 'chain:\n  - { task: a, args: 1 }\n  - { tusk: b }\n  - { task: c, queue: Q! }')).length,
    ).toBeGreaterThan(3);
  });
});

test('a run that would be born cancelled is warned of', () => {
  const born = (more: string): readonly string[] => check(object('Workflow', `task: a\ncancel: true${more}`));
  expect(born('')).toEqual([expect.stringMatching(/warning: spec\.cancel: .* before its first task; set it to false/)]);
  expect(born('\nretryFailed: 1')).toEqual([
    expect.stringContaining('and retryFailed begins no round while it is true'),
  ]);
  expect(check(object('Workflow', 'task: a\ncancel: false\nretryFailed: 1'))).toEqual([]);
});

describe('what stands around the spec', () => {
  test.each([
    [
      'apiVersion: v1\nkind: Workflow\nmetadata: {name: a}\nspec: {task: a}',
      '1:1: error: apiVersion: must be arpeggio.dev/v1alpha1; it is "v1"',
    ],
    [
      'apiVersion: arpeggio.dev/v1alpha1\nkind: Workflw\nmetadata: {name: a}\nspec: {task: a}',
      '2:1: error: kind: there is no such kind; did you mean Workflow?',
    ],
    ['apiVersion: arpeggio.dev/v1alpha1\nkind: Workflow\nspec: {task: a}', 'error: metadata.name: is missing'],
    ['spec: {task: a}', 'f.yaml:1:1: error: does not say what it is; a Workflow begins with apiVersion: '],
    [
      'apiVersion: arpeggio.dev/v1alpha1\nkind: Workflow\nmetadata: {name: A_b}\nspec: {task: a}',
      'metadata.name: is no object name',
    ],
    ['apiVersion: arpeggio.dev/v1alpha1\nkind: Workflow\nmetadata: {name: a}', 'error: spec: is missing'],
    [
      'apiVersion: arpeggio.dev/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec: {task: a}\nstats: {}',
      '5:1: error: stats: unknown field; did you mean status?',
    ],
  ])('%j', (text, said) => {
    expect(check(text).join('\n')).toContain(said);
  });

  test('objects of others are left alone', () => {
    expect(check('apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {a: 1}\n')).toEqual([]);
  });

  test('objects of two namespaces, or named by the cluster, may be called alike', () => {
    const one = object('Workflow', 'task: a').replace('{ name: x }', '{ name: x, namespace: one }');
    const two = object('Workflow', 'task: a').replace('{ name: x }', '{ generateName: x }');
    expect(check([one, object('Workflow', 'task: a'), two, two].join('---\n'))).toEqual([]);
  });

  test('two objects of one kind and name would be one', () => {
    const text = `${object('Workflow', 'task: a')}---\n${object('Workflow', 'task: b')}`;
    expect(check(text)).toEqual([
      expect.stringContaining('f.yaml:9:13: error: metadata.name: is a name that another Workflow'),
    ]);
  });
});

describe('TaskQueues and WorkerPools', () => {
  test.each([
    ['TaskQueue', 'route: [a]', 'f.yaml:5:3: error: spec.route: unknown field; did you mean routes?'],
    ['TaskQueue', 'routes: a', 'f.yaml:5:3: error: spec.routes: must be a list; it is "a"'],
    ['TaskQueue', 'routes: [a b]', 'error: spec.routes[0]: is neither the name of a task nor a glob: it may not hold'],
    ['TaskQueue', 'routes: [a, b, a]', 'error: spec.routes[2]: stands here a second time, as in spec.routes[0]; take'],
    ['TaskQueue', 'image: x', 'error: spec.image: unknown field; known here are connection, queueName, routes'],
    ['WorkerPool', 'queues: []\nimage: x', 'error: spec.queues: its entries must be 1 or more'],
    ['WorkerPool', 'queues: [a]\nimage: x\nconcurrency: 1001', 'spec.concurrency: must be 1000 at most; it is 1001'],
    ['WorkerPool', 'queues: [a]\nimage: x\nconcurrency: "2"', 'error: spec.concurrency: must be a number; it is "2"'],
    [
      'WorkerPool',
      'queues: [a]\nimage: x\nresources: { limits: { memory: 1Gb } }',
      'error: spec.resources.limits.memory: is no quantity; write 500m, 2 or 4Gi; it is "1Gb"',
    ],
    [
      'WorkerPool',
      'queues: [a]\nimage: x\nenv: [{ name: A, value: "1" }, { name: A, value: "2" }]',
      'error: spec.env[1]: stands here a second time, as in spec.env[0]; take one away',
    ],
    ['WorkerPool', 'image: x', 'error: spec.queues: is missing'],
    ['WorkerPool', 'queues: [a]\nimage: x\nruntime: Go', 'f.yaml:7:3: error: spec.runtime: must be one of'],
    [
      'WorkerPool',
      'queues: [a]\nimage: x\ndrainTimeout: 200h',
      'f.yaml:7:3: error: spec.drainTimeout: drainTimeout may be 168h at most; it is "200h"',
    ],
    [
      'WorkerPool',
      'queues: [a]\nimage: x\nautoscaling: { minReplicas: 3, maxReplicas: 2 }',
      'f.yaml:7:3: error: spec.autoscaling: minReplicas may not be above maxReplicas',
    ],
    [
      'WorkerPool',
      'queues: [a]\nimage: x\nenv: [{ name: ARPEGGIO_X, value: "1" }]',
      'error: spec.env[0]: names that begin with ARPEGGIO_',
    ],
    [
      'WorkerPool',
      'queues: [a]\nimage: x\nautoscaling: { maxReplica: 3 }',
      'error: spec.autoscaling.maxReplica: unknown field; did you mean maxReplicas?',
    ],
  ])('%s %j', (kind, spec, said) => {
    expect(check(object(kind, spec)).join('\n')).toContain(said);
  });

  test('two queues that claim a task equally are told of', () => {
    const text = `${object('TaskQueue', 'routes: [a, b]', 'one')}---\n${object('TaskQueue', 'routes: [c, b]', 'two')}`;
    expect(check(text)).toEqual([
      expect.stringMatching(/^f\.yaml:11:15: error: spec\.routes\[1\]: TaskQueue one claims .*equally/),
    ]);
  });

  test('a sound file has no findings', () => {
    const text = `${object('TaskQueue', 'routes: [a.*]')}---\n${object('WorkerPool', 'queues: [x]\nimage: i\nconcurrency: 2')}`;
    expect(check(text)).toEqual([]);
  });
});

describe('warnings', () => {
  test.each([
    ['args: [1.0]', 'warning: the API server would serve 1.0 as 1'],
    ['args: [12345678901234567890]', 'warning: the API server keeps integers of 64 bits'],
    ['args: [yes]', 'warning: kubectl reads yes as true'],
    ['kwargs: { a: null }', 'f.yaml:6:13: warning: spec.kwargs.a: client-side kubectl apply leaves out null'],
    ['args: [{ deep: [{ b: ~ }] }]', 'warning: spec.args[0].deep[0].b: client-side'],
  ])('%s', (line, said) => {
    expect(check(object('Workflow', `task: a\n${line}`)).join('\n')).toContain(said);
  });

  test('null in a list stays, and numbers that are kept are not spoken of', () => {
    expect(check(object('Workflow', 'task: a\nargs: [null, 1, 0.5, 9007199254740993]'))).toEqual([]);
  });

  test('tasks that no module exports, where modules are given', () => {
    const text = object(
      'Workflow',
      'chain: [{ task: lod }, { map: { task: save } }, { task: load }]\nfinally: [{ task: tidy }]',
    );
    expect(check(text, ['load'])).toEqual([
      expect.stringContaining('spec.chain[0].task: no module given by --tasks exports this task; did you mean load?'),
      expect.stringContaining('spec.chain[1].map.task'),
      expect.stringContaining('spec.finally[0].task'),
    ]);
  });
});
