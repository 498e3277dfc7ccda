import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { conditionHolds, parseCondition, type ConditionScope } from '#core/expressions/condition.ts';

interface Given {
  readonly result?: string;
  readonly steps?: Readonly<Record<string, { readonly result?: string; readonly state?: string }>>;
}

function scopeOf({ result, steps = {} }: Given): ConditionScope {
  return {
    result: result as JsonText | undefined,
    stepResult: (name) => steps[name]?.result as JsonText | undefined,
    stepState: (name) => steps[name]?.state ?? 'Succeeded',
    run: { name: 'train', namespace: 'ml', uid: 'u-1' },
  };
}

function answer(text: string, given: Given): boolean | string {
  const parsed = parseCondition(text);
  if (!parsed.ok) return `refused: ${parsed.error}`;
  const held = conditionHolds(parsed.value, scopeOf(given));
  return held.ok ? held.value : held.error;
}

describe('a condition holds or does not', () => {
  test.each<{ when: string; given?: Given; holds: boolean }>([
    { when: 'result > 3', given: { result: '4' }, holds: true },
    { when: 'result + 1 == 5', given: { result: '4' }, holds: true },
    { when: 'result / 2 == 1', given: { result: '3' }, holds: true },
    { when: 'result.accuracy >= 0.9', given: { result: '{"accuracy":0.91}' }, holds: true },
    { when: 'result.accuracy >= 1', given: { result: '{"accuracy":0.91}' }, holds: false },
    { when: 'result == 1.0', given: { result: '1' }, holds: true },
    { when: 'type(result) == double', given: { result: '1.0' }, holds: true },
    { when: 'type(result) == int', given: { result: '1' }, holds: true },
    { when: 'result == 9007199254740993', given: { result: '9007199254740993' }, holds: true },
    { when: 'result == 9007199254740993', given: { result: '9007199254740992' }, holds: false },
    { when: 'result > 9223372036854775807', given: { result: '9223372036854775808' }, holds: true },
    { when: 'result.loss != result.loss', given: { result: '{"loss":NaN}' }, holds: true },
    { when: 'result.loss > 1e300', given: { result: '{"loss":Infinity}' }, holds: true },
    {
      when: 'result.n == 9007199254740993 && result.x != 0.0',
      given: { result: '{"n":9007199254740993,"x":NaN}' },
      holds: true,
    },
    {
      when: 'result.list.all(x, x > 0) && result.text == "NaN"',
      given: { result: '{"list":[1,2.5,1e3],"text":"NaN"}' },
      holds: true,
    },
    { when: 'result == null', given: { result: 'null' }, holds: true },
    { when: 'has(result.error)', given: { result: '{"rows":1}' }, holds: false },
    { when: 'has(result.error)', given: { result: '{"error":null}' }, holds: true },
    { when: 'result[0].id == "é" && size(result) == 2', given: { result: '[{"id":"é"},2]' }, holds: true },
    { when: 'result.rows.all(r, r.ok)', given: { result: '{"rows":[{"ok":true},{"ok":false}]}' }, holds: false },
    { when: 'result.exists(k, k == "constructor")', given: { result: '{"constructor":1}' }, holds: true },
    { when: 'result.constructor == 1', given: { result: '{"constructor":1}' }, holds: true },
    { when: 'has(result.__proto__)', given: { result: '{"a":1}' }, holds: false },
    { when: 'result.kind in ["a", "b"]', given: { result: '{"kind":"b"}' }, holds: true },
    {
      when: 'result.lines.filter(l, l.contains("ERR")).size() == 1',
      given: { result: '{"lines":["ERR","ok"]}' },
      holds: true,
    },
    { when: 'steps.load.state == "Failed"', given: { steps: { load: { state: 'Failed' } } }, holds: true },
    { when: 'has(steps.load.result)', given: { steps: { load: { state: 'Failed' } } }, holds: false },
    { when: 'steps["load"].result.rows > 10', given: { steps: { load: { result: '{"rows":11}' } } }, holds: true },
    {
      when: 'steps.a.result == steps.b.result',
      given: { steps: { a: { result: '[{"x":1}]' }, b: { result: '[{"x":1}]' } } },
      holds: true,
    },
    { when: 'run.namespace == "ml" && run.name.startsWith("tr") && run.uid != ""', holds: true },
    { when: '[1, 2].exists_one(x, x == result) ? true : false', given: { result: '2' }, holds: true },
    {
      when: 'steps.a.result.exists(a, a.id == result.id)',
      given: { result: '{"id":7}', steps: { a: { result: '[{"id":7}]' } } },
      holds: true,
    },
    { when: 'false && result.missing', given: { result: '{}' }, holds: false },
  ])('$when', ({ when, given = {}, holds }) => {
    expect(answer(when, given)).toBe(holds);
    expect(answer(`(${when}) == false`, given)).toBe(!holds);
  });
});

describe('a condition is refused when it', () => {
  const variables = 'result, steps.NAME.result, steps.NAME.state, run.name, run.namespace and run.uid';
  test.each([
    { why: 'is no CEL', text: 'result >', says: 'is no expression in CEL: Unexpected token: EOF, at character 9' },
    { why: 'is two expressions', text: 'true true', says: 'is no expression in CEL: Unexpected character' },
    { why: 'is blank', text: ' ', says: 'is no expression in CEL' },
    {
      why: 'speaks of something unknown',
      text: 'results > 1',
      says: `speaks of results, which is not known; known are ${variables}`,
    },
    {
      why: 'asks for the machinery of JavaScript',
      text: 'constructor',
      says: 'speaks of constructor, which is not known',
    },
    { why: 'speaks of steps as a whole', text: 'size(steps) > 1', says: 'speaks of steps without a name' },
    {
      why: 'reaches for a step by a value',
      text: 'steps[result].state == "Failed"',
      says: 'speaks of steps without a name',
    },
    { why: 'stops at a step', text: 'has(steps.load)', says: 'stops at steps.load; write steps.load.result or .state' },
    {
      why: 'asks a step for more',
      text: 'steps.load.status == "x"',
      says: 'asks for steps.load.status; there are steps.load.result and .state',
    },
    { why: 'asks the run for more', text: 'run.labels.a == "x"', says: 'asks for run.labels; there are run.name' },
    {
      why: 'hides a name',
      text: '[1].all(result, result > 0)',
      says: 'names a variable result, which means something else',
    },
    {
      why: 'matches by regular expression',
      text: 'result.matches("^(a+)+$")',
      says: 'calls matches(), which conditions cannot; they have all, exists',
    },
    {
      why: 'slips in a call',
      text: 'result.startwith("a")',
      says: 'calls startwith(), which conditions cannot; did you mean startsWith?',
    },
    { why: 'binds', text: 'cel.bind(x, result, x > 1)', says: 'calls bind()' },
    { why: 'joins', text: 'result.join(",") == ""', says: 'calls join()' },
    { why: 'asks for the time', text: 'timestamp("2027-01-01T00:00:00Z") < result', says: 'calls timestamp()' },
    { why: 'adds apples and pears', text: '1 + "a" == 2', says: 'cannot be evaluated: no such overload' },
    { why: 'gives a number', text: '1 + 1', says: 'gives a value of type int; it must give true or false' },
    { why: 'is long', text: `result == "${'x'.repeat(2040)}"`, says: 'is longer than 2048 characters' },
    { why: 'has many parts', text: Array(200).fill('1').join('+'), says: 'Exceeded maxAstNodes (250)' },
    { why: 'is deep', text: '('.repeat(50) + 'true' + ')'.repeat(50), says: 'Exceeded maxDepth (32)' },
    { why: 'is deep in another way', text: `${'!'.repeat(2000)}true`, says: 'Exceeded maxAstNodes (250)' },
    { why: 'makes types without end', text: '[[[[[1]]]]] == [[[[[1]]]]]', says: 'more than 4 deep' },
    { why: 'makes types with macros', text: '[[1]].map(x, [x]).map(y, [y]).size() == 1', says: 'more than 4 deep' },
  ])('$why', ({ text, says }) => {
    const parsed = parseCondition(text);
    expect(parsed.ok ? 'taken' : parsed.error).toContain(says);
  });
});

test('a condition says what it asks for', () => {
  const parsed = parseCondition('result > 1 && steps.a.state == "Failed" && [1].all(x, steps.b.result == x)');
  expect(parsed).toMatchObject({ ok: true, value: { stepNames: ['a', 'b'], resultNames: ['b'], usesResult: true } });
});

test('a text that was read is known, and one of many is read again', () => {
  const first = parseCondition('result == 0');
  expect(parseCondition('result == 0')).toBe(first);
  for (let index = 1; index <= 300; index += 1) parseCondition(`result == ${index}`);
  expect(parseCondition('result == 0')).not.toBe(first);
  expect(parseCondition('result == 0')).toMatchObject({ ok: true, value: { usesResult: true } });
});

describe('a condition fails, and shows no value, when', () => {
  test.each<{ why: string; when: string; given: Given; says: string }>([
    {
      why: 'a key is missing',
      when: 'result.count > 1',
      given: { result: '{"secret":1}' },
      says: 'the condition cannot be evaluated: no such key at result.count',
    },
    {
      why: 'it compares text with a number',
      when: 'result > 1',
      given: { result: '"secret"' },
      says: 'the condition cannot be evaluated: no such overload at result > 1',
    },
    {
      why: 'it gives no truth',
      when: 'result',
      given: { result: '"secret"' },
      says: 'the condition gives text, and must give true or false',
    },
    {
      why: 'text is no truth',
      when: 'bool(result)',
      given: { result: '"secret"' },
      says: 'the condition cannot be evaluated: bool conversion error at bool(result)',
    },
    {
      why: 'an integer overflows',
      when: 'result * result > 0',
      given: { result: '9223372036854775807' },
      says: 'numeric overflow at result * result',
    },
    {
      why: 'nothing comes in',
      when: 'result > 1',
      given: {},
      says: 'the condition asks for result, but no value comes in',
    },
    {
      why: 'a step has no result',
      when: 'steps.a.result > 1',
      given: { steps: { a: {} } },
      says: 'no such key at steps.a.result',
    },
    {
      why: 'a value is large',
      when: 'size(result) > 1',
      given: { result: `"${'é'.repeat(40_000)}"` },
      says: 'result is larger than 64 KiB',
    },
    {
      why: "a step's value is large",
      when: 'has(steps.a.result)',
      given: { steps: { a: { result: `"${'x'.repeat(65_536)}"` } } },
      says: 'steps.a.result is larger than 64 KiB',
    },
    {
      why: 'a value is nested deep',
      when: 'result == result',
      given: { result: `${'['.repeat(30_000)}${']'.repeat(30_000)}` },
      says: 'nested too deep',
    },
    { why: 'a value is no JSON', when: 'result == 1', given: { result: '{' }, says: 'result is no JSON' },
  ])('$why', ({ when, given, says }) => {
    const said = String(answer(when, given));
    expect(said).toContain(says);
    expect(said).not.toContain('secret');
  });

  test('but how a step ended is known, however large its result is', () => {
    const given = { steps: { a: { result: 'x'.repeat(100_000), state: 'Succeeded' } } };
    expect(answer('steps.a.state == "Succeeded"', given)).toBe(true);
  });
});
