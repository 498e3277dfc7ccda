import { describe, expect, test } from 'vitest';
import { parseJson } from '#core/base/json-text.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { summariseProblems } from '#core/resources/spec-problem.ts';

function problemsOf(value: unknown): string {
  const parsed = parseWorkflowSpec(value);
  return parsed.ok ? 'none' : summariseProblems(parsed.error);
}

describe('a task takes', () => {
  test.each([
    { priority: 0 },
    { priority: 9 },
    { countdown: '0s' },
    { countdown: '1h30m' },
    { eta: '2027-01-31T08:00:00Z' },
    { eta: '2028-02-29T23:59:59.5+05:30' },
    { expires: '90s', eta: '2027-01-31T08:00:00Z' },
    { expires: '2027-01-31T08:00:00Z' },
    { timeLimit: '1h', softTimeLimit: '55m', waitLimit: '10m' },
    { softTimeLimit: '55m' },
    { retry: {} },
    {
      retry: {
        ...{ maxRetries: 0, backoff: '0s', maxBackoff: '1h', jitter: false },
        ...{ for: ['TimeoutError', 'requests.exceptions.Timeout'], escalateTo: 'large', onLost: 'Fail' },
      },
    },
  ])('%j, wherever it stands', (fields) => {
    const task = { task: 't', ...fields };
    for (const spec of [
      task,
      { chain: [task] },
      { task: 't', link: [task], linkError: [task], finally: [task] },
      { map: { ...task, range: 3 } },
    ])
      expect(problemsOf(spec)).toBe('none');
  });
});

describe('a task does not take', () => {
  const noDuration = 'is no duration; write 90s, 10m or 1h30m';
  const noMoment = 'is no moment that there is: look at its month, day, hour and minute';
  test.each([
    { fields: { priority: 10 }, says: 'spec.priority: may be 9 at most' },
    { fields: { priority: -1 }, says: 'spec.priority: must be 0 or more' },
    { fields: { priority: 1.5 }, says: 'spec.priority: must be an integer' },
    { fields: { priority: '5' }, says: 'spec.priority: must be an integer' },
    { fields: { countdown: 30 }, says: 'spec.countdown: is no duration; write 90s' },
    { fields: { countdown: '30' }, says: `spec.countdown: ${noDuration}` },
    { fields: { countdown: '1d' }, says: `spec.countdown: ${noDuration}` },
    { fields: { countdown: '9000h' }, says: 'spec.countdown: is longer than a year (8760h)' },
    { fields: { eta: 'tomorrow' }, says: 'spec.eta: is no moment; write 2027-01-31T08:00:00Z' },
    { fields: { eta: '2027-01-31T08:00:00' }, says: 'spec.eta: is no moment; write 2027-01-31T08:00:00Z' },
    { fields: { eta: '2027-02-29T08:00:00Z' }, says: `spec.eta: ${noMoment}` },
    { fields: { eta: '2027-13-01T08:00:00Z' }, says: `spec.eta: ${noMoment}` },
    { fields: { eta: '2027-01-01T24:00:00Z' }, says: `spec.eta: ${noMoment}` },
    { fields: { eta: '2027-01-01T08:00:00+25:00' }, says: `spec.eta: ${noMoment}` },
    {
      fields: { countdown: '1s', eta: '2027-01-31T08:00:00Z' },
      says: 'spec: has countdown and eta side by side; give one of them',
    },
    { fields: { expires: 'soon' }, says: 'spec.expires: is neither a duration nor a moment' },
    { fields: { expires: '0s' }, says: 'spec.expires: must be longer than nothing' },
    { fields: { expires: '2027-04-31T08:00:00Z' }, says: `spec.expires: ${noMoment}` },
    { fields: { timeLimit: '0ms' }, says: 'spec.timeLimit: must be longer than nothing' },
    { fields: { timeLimit: '1h', softTimeLimit: '60m' }, says: 'spec.softTimeLimit: is not below timeLimit' },
    { fields: { waitLimit: '' }, says: `spec.waitLimit: ${noDuration}` },
    { fields: { retry: 3 }, says: 'spec.retry: must be an object' },
    { fields: { retry: { max_retries: 3 } }, says: 'spec.retry.max_retries: unknown field; did you mean maxRetries?' },
    { fields: { retry: { maxRetries: 1001 } }, says: 'spec.retry.maxRetries: may be 1000 at most' },
    {
      fields: { retry: { backoff: '20m' } },
      says: 'spec.retry.backoff: is above maxBackoff, which is 10m when absent; raise maxBackoff as well',
    },
    { fields: { retry: { backoff: '20s', maxBackoff: '10s' } }, says: 'spec.retry.backoff: is above maxBackoff' },
    { fields: { retry: { for: [] } }, says: 'spec.retry.for: is empty; leave it out to retry after every exception' },
    { fields: { retry: { for: ['Time Out'] } }, says: 'spec.retry.for[0]: is no name of an exception' },
    { fields: { retry: { escalateTo: 'Large' } }, says: 'spec.retry.escalateTo: is no object name' },
    { fields: { retry: { onLost: 'Ignore' } }, says: 'spec.retry.onLost: must be Retry or Fail' },
  ])('$fields', ({ fields, says }) => {
    expect(problemsOf({ task: 't', ...fields })).toContain(says);
    expect(problemsOf({ map: { task: 't', range: 3, ...fields } })).toContain(says.replace('spec', 'spec.map'));
  });

  test('an integer that is written with a point', () => {
    expect(problemsOf(parseJson('{"task":"t","priority":1.0}'))).toBe('spec.priority: must be an integer');
    expect(problemsOf(parseJson('{"task":"t","retry":{"maxRetries":1e1}}'))).toBe(
      'spec.retry.maxRetries: must be an integer',
    );
  });
});

describe('only tasks take the fields of a task', () => {
  test.each([
    {
      spec: { group: [], countdown: '1s' },
      says: 'spec.countdown: goes with a task only; this is a group, so give it to the tasks within',
    },
    {
      spec: { map: { task: 't', range: 1 }, retry: {} },
      says: 'spec.retry: goes with a task only; this is a map, so give it into the map, beside its task',
    },
  ])('$says', ({ spec, says }) => {
    expect(problemsOf(spec)).toBe(says);
  });
});

describe('an element says of itself', () => {
  test.each([
    { spec: { chain: [{ task: 't', onFailure: 'Continue' }] }, says: 'none' },
    { spec: { chain: [{ group: [], onFailure: 'Fail', when: 'true', name: 'a' }] }, says: 'none' },
    {
      spec: { chain: [{ task: 't', onFailure: 'Ignore' }] },
      says: 'spec.chain[0].onFailure: must be Fail or Continue',
    },
    {
      spec: { chain: [{ map: { task: 't', range: 1, when: 'true', link: [] } }] },
      says: 'spec.chain[0].map.when: belongs beside map, not within; move it one level up; spec.chain[0].map.link: belongs beside map',
    },
    {
      spec: { chord: { header: [], body: { task: 't' }, linkError: [] } },
      says: 'spec.chord.linkError: belongs beside chord, not within; move it one level up',
    },
    {
      spec: { task: 't', onFailure: 'Continue' },
      says: 'spec.onFailure: has no meaning for the run as a whole; put the element into a chain of one, and this on it',
    },
    { spec: { task: 't', when: 'true' }, says: 'spec.when: has no meaning for the run as a whole' },
  ])('$spec: $says', ({ spec, says }) => {
    expect(problemsOf(spec)).toContain(says);
  });
});

describe('a map', () => {
  const list = { task: 't' };
  test.each([
    { why: 'over a list', spec: { map: { task: 't', over: [1, 'a', null, { b: [] }] } } },
    { why: 'over nothing', spec: { map: { task: 't', over: [] } } },
    { why: 'over a range', spec: { map: { task: 't', range: { start: 10, stop: 0, step: -3 } } } },
    { why: 'over a short range', spec: { map: { task: 't', range: 5 } } },
    { why: 'over the result before', spec: { chain: [list, { map: { task: 't', args: [1], kwargs: { a: 1 } } }] } },
    { why: 'over the result before its group', spec: { chain: [list, { group: [{ map: { task: 't' } }] }] } },
    { why: 'of lists as arguments', spec: { map: { task: 't', over: [[1, 2]], unpack: true } } },
    {
      why: 'in chunks',
      spec: { chain: [list, { map: { task: 't', chunk: 100, unpack: true, queue: 'a', retry: {} } }] },
    },
    {
      why: 'of a chain',
      spec: { map: { over: [1], each: { chain: [{ task: 't' }, { task: 'u', immutable: true }] } } },
    },
    {
      why: 'of a chord, with handlers',
      spec: { map: { over: [1], each: { chord: { header: [], body: list } } }, link: [list] },
    },
  ])('goes $why', ({ spec }) => {
    expect(problemsOf(spec)).toBe('none');
  });

  test.each([
    { map: { over: [] }, says: 'spec.map: must have exactly one of task, and each, which is an element' },
    { map: { task: 't', each: list, over: [] }, says: 'spec.map: must have exactly one of task, and each' },
    { map: { task: 't', over: [], range: 3 }, says: 'spec.map: has over and range side by side; give one of them' },
    {
      map: { task: 't' },
      says: 'spec.map: has no items: no result comes in here; give over or range, or put a task that returns a list before it',
    },
    {
      map: { task: 't', over: [], immutable: true },
      says: 'spec.map.immutable: would take from the task the very item; remove it',
    },
    { map: { task: 't', over: 5 }, says: 'spec.map.over: must be a list' },
    { map: { task: 't', range: '5' }, says: 'spec.map.range: must be an integer, or start, stop and step as integers' },
    { map: { task: 't', range: 1.5 }, says: 'spec.map.range: must be an integer' },
    { map: { task: 't', range: { start: 1 } }, says: 'spec.map.range: must be an integer, or start, stop' },
    { map: { task: 't', range: { stop: 1, by: 1 } }, says: 'spec.map.range: must be an integer, or start, stop' },
    { map: { task: 't', range: { stop: 1, step: 0 } }, says: 'spec.map.range.step: is 0, with which no range ends' },
    { map: { task: 't', range: 100_001 }, says: 'spec.map.range: makes 100001 items; 100000 are allowed' },
    {
      map: { task: 't', over: [[1], 2], unpack: true },
      says: 'spec.map.over[1]: is no list, and unpack makes arguments of lists',
    },
    { map: { task: 't', range: 3, unpack: true }, says: 'spec.map.unpack: cannot go with range' },
    { map: { task: 't', range: 3, chunk: 0 }, says: 'spec.map.chunk: must be 1 or more' },
    {
      map: { task: 't', range: 3, chunk: 2, args: [1] },
      says: 'spec.map.args: cannot go with chunk: Celery then calls the task with the item alone',
    },
    { map: { task: 't', range: 3, chunk: 2, kwargs: {} }, says: 'spec.map.kwargs: cannot go with chunk' },
    {
      map: { range: 3, chunk: 2, each: list },
      says: 'spec.map.chunk: goes with task only; give it to the tasks of each',
    },
    {
      map: { range: 3, countdown: '1s', each: list },
      says: 'spec.map.countdown: goes with task only; give it to the tasks of each',
    },
    {
      map: { range: 3, each: { chain: [{ map: { task: 't' } }] } },
      says: 'spec.map.each.chain[0].map: stands in the each of another map, which is not supported; let a task return the flat list first',
    },
    { map: { task: 't', range: 3, chunks: 2 }, says: 'spec.map.chunks: unknown field; did you mean chunk?' },
    { map: [], says: 'spec.map: must be an object, but is a list' },
    { map: { range: 3, each: [] }, says: 'spec.map.each: must be an object, but is a list' },
  ])('$map: $says', ({ map, says }) => {
    expect(problemsOf({ map })).toContain(says);
  });

  test('counts for as many members as it certainly has', () => {
    const each = { chain: [{ task: 'a' }, { task: 'b' }] };
    expect(problemsOf({ map: { range: 80_000, each } })).toBe('none');
    expect(problemsOf({ map: { range: 90_000, each } })).toBe(
      'spec.map: the workflow has more than 250000 members; split it into several',
    );
    const map = { range: 100_000, task: 't' };
    expect(problemsOf({ group: [{ map }, { map }] })).toBe('none');
    expect(problemsOf({ group: [{ map }, { map }, { map }] })).toContain('more than 250000 members');
    expect(problemsOf({ group: [{ map }, { map }, { map: { ...map, chunk: 10 } }] })).toBe('none');
  });

  test('stands one level above what it runs', () => {
    const chains = (levels: number): object => (levels === 0 ? { task: 'a' } : { chain: [chains(levels - 1)] });
    expect(problemsOf({ map: { range: 1, each: chains(14) } })).toBe('none');
    expect(problemsOf({ map: { range: 1, each: chains(15) } })).toContain('more than 16 levels deep');
  });
});

describe('a run', () => {
  test.each([
    {
      fields: { deadline: '2h', ttlAfterFinished: '0s', suspend: true, cancel: false, retryFailed: 4094 },
      says: 'none',
    },
    { fields: { maxParallel: 1, showResult: false, defaultQueue: 'a' }, says: 'none' },
    { fields: { deadline: '0s' }, says: 'spec.deadline: must be longer than nothing' },
    { fields: { ttlAfterFinished: '8761h' }, says: 'spec.ttlAfterFinished: is longer than a year' },
    { fields: { suspend: 'yes' }, says: 'spec.suspend: must be true or false' },
    { fields: { retryFailed: 4095 }, says: 'spec.retryFailed: may be 4094 at most' },
    { fields: { maxParallel: 0 }, says: 'spec.maxParallel: must be 1 or more' },
  ])('says $fields: $says', ({ fields, says }) => {
    expect(problemsOf({ task: 't', ...fields })).toContain(says);
  });

  test('is the only one to say so', () => {
    expect(problemsOf({ chain: [{ task: 't', deadline: '1h' }] })).toBe(
      'spec.chain[0].deadline: stands for the whole run; move it to spec.deadline',
    );
  });
});
