import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';

/** What a real API server makes of Workflows, by the CRD alone. */

const apiVersion = 'arpeggio.dev/v1alpha1';
let cluster: ApiCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await startApiCluster();
  kubectl = kubectlOf(cluster);
  await kubectl(['apply', '-f', join(REPOSITORY, 'crds', 'workflows.yaml')]);
  await until('kubectl finds workflows', 60_000, async () =>
    (await kubectl(['api-resources', '--categories=arpeggio', '--no-headers'])).includes('awf'),
  );
});
afterAll(() => cluster.stop());

const workflow = (name: string, spec: unknown): object => ({ apiVersion, kind: 'Workflow', metadata: { name }, spec });

describe('a Workflow is refused at once when', () => {
  const oneOf = 'give exactly one of task, chain, group, chord, map';
  test.each([
    { why: 'it says nothing', spec: {}, says: oneOf },
    { why: 'it says two things', spec: { task: 'a', chain: [{ task: 'b' }] }, says: `spec: Invalid value: ${oneOf}` },
    {
      why: 'an element of a chain says two things',
      spec: { chain: [{ task: 'a', group: [] }] },
      says: `spec.chain[0]: Invalid value: ${oneOf}`,
    },
    {
      why: 'a member of a group says nothing',
      spec: { group: [{}] },
      says: '"spec.group[0]" must validate one and only one schema',
    },
    {
      why: 'an element two levels down says two things',
      spec: { chain: [{ group: [{ task: 'a', chain: [{ task: 'b' }] }] }] },
      says: '"spec.chain[0].group[0]" must validate one and only one schema',
    },
    { why: 'a group has arguments', spec: { group: [], kwargs: {} }, says: 'go with a task only' },
    { why: 'a chain has a timer', spec: { chain: [], countdown: '1s' }, says: 'go with a task only' },
    {
      why: 'a task has two timers',
      spec: { task: 'a', countdown: '1s', eta: '2027-01-31T08:00:00Z' },
      says: 'give either countdown or eta',
    },
    {
      why: 'a map says nothing',
      spec: { map: { range: 3 } },
      says: 'spec.map: Invalid value: give exactly one of task, each',
    },
    {
      why: 'a map has task fields beside each',
      spec: { map: { range: 3, chunk: 2, each: { task: 'a' } } },
      says: 'go with task; with each, give them to the tasks within',
    },
    {
      why: "a map's element says two things",
      spec: { map: { range: 3, each: { task: 'a', chain: [] } } },
      says: 'spec.map.each: Invalid value: give exactly one of task, chain, group, chord',
    },
    {
      why: 'a map stands within a map',
      spec: { map: { range: 3, each: { map: { task: 'a' } } } },
      says: 'unknown field "spec.map.each.map"',
    },
    {
      why: 'a map drops its items',
      spec: { map: { task: 'a', immutable: true } },
      says: 'unknown field "spec.map.immutable"',
    },
    { why: 'the root has a name', spec: { task: 'a', name: 'a' }, says: 'unknown field "spec.name"' },
    {
      why: 'a name cannot be said',
      spec: { chain: [{ task: 'a', name: 'a-b' }] },
      says: 'spec.chain[0].name: Invalid value: "a-b": is no name: letters, digits and _ only',
    },
    { why: 'a priority is out of range', spec: { task: 'a', priority: 10 }, says: 'spec.priority: Invalid value: 10' },
    {
      why: 'a duration has no unit',
      spec: { task: 'a', timeLimit: '30' },
      says: 'spec.timeLimit: Invalid value: "30": is no duration; write 90s, 10m or 1h30m',
    },
    {
      why: 'a moment has no offset',
      spec: { chain: [{ task: 'a', eta: '2027-01-31T08:00:00' }] },
      says: 'spec.chain[0].eta: Invalid value: "2027-01-31T08:00:00": is no moment; write 2027-01-31T08:00:00Z or with an offset',
    },
    {
      why: 'an expiry is neither',
      spec: { task: 'a', link: [{ task: 'b', expires: 'soon' }] },
      says: 'spec.link[0].expires: Invalid value: "soon": is neither a duration nor a moment; write 90s, 1h30m or',
    },
    {
      why: 'a backoff is told in words',
      spec: { chain: [{ task: 'a', retry: { backoff: '5 minutes' } }] },
      says: 'spec.chain[0].retry.backoff: Invalid value: "5 minutes": is no duration; write 90s',
    },
    {
      why: 'a deadline is told in words',
      spec: { task: 'a', deadline: 'tomorrow' },
      says: 'spec.deadline: Invalid value: "tomorrow": is no duration; write 90s',
    },
    {
      why: 'a retry is misspelt',
      spec: { group: [{ task: 'a', retry: { maxRetry: 1 } }] },
      says: 'unknown field "spec.group[0].retry.maxRetry"',
    },
    {
      why: 'a lost task is to be ignored',
      spec: { task: 'a', retry: { onLost: 'Ignore' } },
      says: 'supported values: "Retry", "Fail"',
    },
    { why: 'nothing may run', spec: { task: 'a', maxParallel: 0 }, says: 'spec.maxParallel: Invalid value' },
    { why: 'a chord has no body', spec: { chord: { header: [] } }, says: 'spec.chord.body: Required value' },
    { why: 'a task has two words', spec: { task: 'a b' }, says: 'spec.task: Invalid value: "a b"' },
    { why: 'a field is unknown', spec: { task: 'a', timelimit: '1h' }, says: 'unknown field "spec.timelimit"' },
    {
      why: 'a handler is a chain',
      spec: { task: 'a', link: [{ task: 'b', chain: [] }] },
      says: 'unknown field "spec.link[0].chain"',
    },
    { why: 'args are no list', spec: { task: 'a', args: 'x' }, says: 'spec.args: Invalid value' },
  ])('$why', async ({ spec, says }) => {
    expect(await kubectl.refused(['create', '-f', '-'], workflow('bad', spec))).toContain(says);
  });

  test('but what lies below two levels is left to the operator', async () => {
    const spec = { chain: [{ group: [{ chain: [{ taks: 'a' }] }] }] };
    expect(await kubectl(['create', '-f', '-'], workflow('deep', spec))).toContain('created');
  });
});

test('a Workflow takes every field, on every level that is looked at', async () => {
  const task = {
    ...{ task: 'a', args: [1], kwargs: { b: null }, queue: 'gpu', priority: 9, countdown: '1s', expires: '1h' },
    ...{ timeLimit: '1h', softTimeLimit: '30m', waitLimit: '10m' },
    retry: {
      maxRetries: 5,
      backoff: '1s',
      maxBackoff: '1m',
      jitter: false,
      for: ['E'],
      escalateTo: 'big',
      onLost: 'Fail',
    },
  };
  const signature = { ...task, immutable: true };
  const step = { name: 'first', when: 'true', onFailure: 'Continue', link: [signature], linkError: [signature] };
  const run = {
    ...{ finally: [signature], defaultQueue: 'cpu', deadline: '2h', ttlAfterFinished: '1h', suspend: false },
    ...{ cancel: false, retryFailed: 0, maxParallel: 10, showResult: false },
  };
  const maps = [
    { map: { ...task, over: [1, 'a', null, { b: 1.5 }], unpack: false, chunk: 2 } },
    { map: { range: 3, each: task } },
  ];
  const spec = {
    ...run,
    chain: [
      { ...signature, ...step },
      { ...maps[0], ...step, name: 'second' },
      { group: [{ ...signature, ...step, name: 'third' }, ...maps] },
      {
        map: {
          range: { start: 0, stop: 9, step: 2 },
          each: { chain: [task, { chord: { header: [task], body: task } }] },
        },
      },
    ],
    link: [signature],
    linkError: [signature],
  };
  await kubectl(['create', '-f', '-'], workflow('every-field', spec));
  const served = await kubectl(['get', 'awf', 'every-field', '-o', 'json']);
  expect((JSON.parse(served) as { spec: unknown }).spec).toEqual(spec);
});

describe('a run that is there is asked', () => {
  const ask = (fields: object): string[] => [
    'patch',
    'awf',
    'asked',
    '--type=merge',
    '-p',
    JSON.stringify({ spec: fields }),
  ];
  const stays = 'a cancel stays; to go on, set cancel to false and raise retryFailed in one change';
  beforeAll(() => kubectl(['create', '-f', '-'], workflow('asked', { task: 'a', retryFailed: 1, cancel: true })));

  test.each([
    { why: 'for a lower retryFailed', fields: { retryFailed: 0 }, says: 'the number of retryFailed never falls' },
    {
      why: 'for no retryFailed any more',
      fields: { retryFailed: null },
      says: 'the number of retryFailed never falls',
    },
    { why: 'to take back a cancel', fields: { cancel: false }, says: stays },
    { why: 'to forget a cancel', fields: { cancel: null }, says: stays },
    {
      why: 'for another round while it stays cancelled',
      fields: { retryFailed: 2 },
      says: 'while cancel is true retryFailed begins no round, and its number would be used up; set cancel to false',
    },
  ])('in vain $why', async ({ fields, says }) => {
    expect(await kubectl.refused(ask(fields))).toContain(says);
  });

  test('to go on, with a raised retryFailed', async () => {
    await kubectl(ask({ cancel: null, retryFailed: 2 }));
    await kubectl(ask({ cancel: true }));
    await kubectl(ask({ cancel: true, suspend: true, deadline: '1h' }));
    await kubectl(ask({ cancel: false, retryFailed: 3 }));
  });
});

describe('numbers in arguments', () => {
  // What the API server keeps: integers of 64 bits; everything else becomes a double, and loses .0.
  test.each([
    { written: '1', kept: '1' },
    { written: '1.0', kept: '1' },
    { written: '1.5', kept: '1.5' },
    { written: '9007199254740993', kept: '9007199254740993' },
    { written: '9223372036854775807', kept: '9223372036854775807' },
    { written: '12345678901234567890123', kept: '1.2345678901234568e+22' },
    { written: 'null', kept: 'null' },
  ])('$written is kept as $kept, in the schema and below it', async ({ written, kept }) => {
    const path = '/apis/arpeggio.dev/v1alpha1/namespaces/default/workflows';
    const name = `number-${written.replaceAll(/[^0-9a-z]/g, '-')}`;
    const task = `{"task":"a","args":[${written}],"kwargs":{"n":${written}}}`;
    const text = `{"apiVersion":"${apiVersion}","kind":"Workflow","metadata":{"name":"${name}"},"spec":{"chain":[${task},{"group":[{"group":[{"group":[${task}]}]}]}]}}`;
    await kubectl(['create', '--raw', path, '-f', '-'], text);
    const served = await kubectl(['get', '--raw', `${path}/${name}`]);
    expect(served.match(/"args":\[[^\]]*\]/g)).toEqual([`"args":[${kept}]`, `"args":[${kept}]`]);
    expect(served.match(/"kwargs":\{[^}]*\}/g)).toEqual([`"kwargs":{"n":${kept}}`, `"kwargs":{"n":${kept}}`]);
  });
});
