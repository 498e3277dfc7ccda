import { describe, expect, test } from 'vitest';
import { parseJson } from '#core/base/json-text.ts';
import { argumentText } from '#core/canvas/argument-text.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';

const planOfSpec = (spec: unknown) => planOf(normalise(parseJson(JSON.stringify(spec)) as WorkflowSpec));

describe('a map in the plan', () => {
  test('what runs for each item is numbered behind it, its handlers too, and the map’s own handlers after them', () => {
    const spec = {
      chain: [
        { map: { each: { chain: [{ task: 'a', linkError: [{ task: 'ea' }] }, { task: 'b' }] }, over: [1] } },
        { task: 'c' },
      ],
      link: [{ task: 'l' }],
    };
    const plan = planOfSpec(spec);
    expect(plan.steps.map(({ path, map }) => `${path} ${map}`)).toEqual([
      'spec -1',
      'spec.chain[0] -1',
      'spec.chain[0].map.each 1',
      'spec.chain[0].map.each.chain[0] 1',
      'spec.chain[0].map.each.chain[0].linkError[0] 1',
      'spec.chain[0].map.each.chain[1] 1',
      'spec.chain[1] -1',
      'spec.link[0] -1',
    ]);
    expect(plan.steps[1]).toMatchObject({ kind: 'Map', each: 2, width: 4 });
    expect(plan.steps[3]).toMatchObject({ input: { from: 'Item', map: 1 } });
    expect(plan.steps[5]).toMatchObject({ input: { from: 'Step', step: 3 } });
  });

  test('a bare task is an element of its own, so that a map of a task and of a chain are numbered alike', () => {
    const plan = planOfSpec({ map: { task: 'a', args: [1], queue: 'q', over: [1, 2] } });
    expect(plan.steps).toMatchObject([
      { kind: 'Map', each: 1, width: 1 },
      { kind: 'Task', task: 'a', args: ['1'], queue: 'q', path: 'spec.map' },
    ]);
  });

  test.each([
    { why: 'of the step before asks for its value', map: { task: 'm' }, want: true },
    { why: 'of a list does not', map: { task: 'm', over: [1] }, want: false },
  ])('one over the items $why', ({ map, want }) => {
    expect(planOfSpec({ chain: [{ task: 'a' }, { map }] }).steps[1]?.valueWanted).toBe(want);
  });
});

describe('names', () => {
  test('make the value of what they name wanted, down to the tasks that it comes from', () => {
    const spec = {
      chain: [
        { group: [{ task: 'a' }, { task: 'b' }], name: 'both' },
        { task: 'c', immutable: true, args: [{ $result: 'both' }] },
      ],
    };
    const { steps } = planOfSpec(spec);
    expect(steps.map(({ valueWanted }) => valueWanted)).toEqual([true, true, true, true, true]);
    expect(steps[4]).toMatchObject({ args: [[{ step: 1 }]] });
  });

  test.each([
    {
      why: 'without names is its text, numbers as written',
      json: '[1.0, {"b": -0, "a": 1e2}]',
      want: '[1.0,{"b":-0,"a":1e2}]',
    },
    { why: 'that is a name', json: '{"$result": "x"}', want: [{ name: 'x' }] },
    {
      why: 'with a name deep within is text around it',
      json: '{"a": [1.50, {"$result": "x"}], "b": {"c": {"$result": "y"}, "d": {}}}',
      want: ['{"a":[1.50,', { name: 'x' }, '],"b":{"c":', { name: 'y' }, ',"d":{}}}'],
    },
  ])('an argument $why', ({ json, want }) => {
    expect(argumentText(parseJson(json))).toEqual(want);
  });
});

describe('options', () => {
  test('are milliseconds in the plan, with the defaults of retry filled in', () => {
    const spec = {
      ...{ task: 'a', priority: 3, countdown: '1m30s', expires: '1h', timeLimit: '2m', softTimeLimit: '90s' },
      ...{ waitLimit: '500ms', retry: { for: ['ValueError'] } },
    };
    expect(planOfSpec(spec).steps[0]).toMatchObject({
      ...{ priority: 3, countdownMs: 90_000, expires: { afterMs: 3_600_000 }, timeLimitMs: 120_000 },
      ...{ softTimeLimitMs: 90_000, waitLimitMs: 500 },
      retry: {
        maxRetries: 3,
        backoffMs: 1_000,
        maxBackoffMs: 600_000,
        jitter: true,
        onLost: 'Retry',
        for: ['ValueError'],
      },
    });
  });

  test('whose numbers kept their text count all the same', () => {
    const spec = parseJson('{"task":"a","priority":3.0,"retry":{"maxRetries":2.0}}') as WorkflowSpec;
    expect(planOf(normalise(spec)).steps[0]).toMatchObject({ priority: 3, retry: { maxRetries: 2 } });
  });

  test('a moment stays one', () => {
    const at = '2027-01-31T08:00:00Z';
    expect(planOfSpec({ task: 'a', eta: at, expires: at }).steps[0]).toMatchObject({
      etaMs: Date.parse(at),
      expires: { atMs: Date.parse(at) },
    });
  });
});
