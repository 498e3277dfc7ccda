import { Environment } from '@marcbachmann/cel-js';
import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { conditionHolds, parseCondition } from '#core/expressions/condition.ts';
import { expressionValueOf } from '#core/expressions/expression-value.ts';
import { meterExpression, weightOf } from '#core/expressions/meter.ts';
import type { SyntaxNode } from '#core/expressions/syntax.ts';

const numbers = (count: number): JsonText => JSON.stringify(Array.from({ length: count }, () => 1)) as JsonText;
const text = (length: number): JsonText => JSON.stringify('x'.repeat(length)) as JsonText;

/** The work that an evaluation takes when it may take any. */
function workOf(expression: string, result: JsonText): number {
  const meter = { left: Number.MAX_SAFE_INTEGER };
  const parsed = new Environment({ unlistedVariablesAreDyn: true }).parse(expression);
  parsed.check();
  meterExpression(parsed.ast as unknown as SyntaxNode, meter);
  parsed({ result: expressionValueOf(result) });
  return Number.MAX_SAFE_INTEGER - meter.left;
}

describe('the work that is counted grows as the work that is done', () => {
  const n = 50;
  test.each([
    { what: 'a pass over a list', expression: 'result.all(x, x > 0)', value: numbers, atLeast: 3 * n },
    {
      what: 'another pass over it',
      expression: 'result.map(x, x + 1).filter(y, y > 1).size() > 0',
      value: numbers,
      atLeast: 6 * n,
    },
    {
      what: 'a pass within a pass',
      expression: 'result.all(x, result.all(y, y > 0))',
      value: numbers,
      atLeast: 3 * n ** 2,
    },
    {
      what: 'three of them',
      expression: 'result.all(x, result.all(y, result.all(z, z > 0)))',
      value: numbers,
      atLeast: 3 * n ** 3,
    },
    {
      what: 'a list compared for every item',
      expression: 'result.all(x, result == result)',
      value: numbers,
      atLeast: 2 * n ** 2,
    },
    {
      what: 'a list searched for every item',
      expression: 'result.all(x, x in result)',
      value: numbers,
      atLeast: n ** 2,
    },
    {
      what: 'a list copied for every item',
      expression: 'result.all(x, size(result + result) > 0)',
      value: numbers,
      atLeast: 4 * n ** 2,
    },
    { what: 'a text made longer', expression: 'size(result + result + result) > 0', value: text, atLeast: 8 * n },
    { what: 'a text searched', expression: 'result.contains("y")', value: text, atLeast: n },
    { what: 'a text split', expression: 'result.split("").all(x, x == "x")', value: text, atLeast: 5 * n },
    {
      what: 'a long pattern, which takes many passes',
      expression: `result.contains("${'y'.repeat(65)}")`,
      value: text,
      atLeast: 65 * 256,
    },
  ])('$what', ({ expression, value, atLeast }) => {
    expect(workOf(expression, value(n))).toBeGreaterThanOrEqual(atLeast);
  });

  test('but a value that is only looked into costs no more when it is large', () => {
    const large = workOf('result[0] == 1 && (result.size() > 0 ? result : [])[1] == 1', numbers(10));
    expect(workOf('result[0] == 1', numbers(10_000))).toBeLessThan(large);
  });
});

describe('no expression takes more work than it may', () => {
  const list = numbers(30_000);
  const rows = JSON.stringify(Array.from({ length: 600 }, (_, id) => ({ id, name: 'n'.repeat(60) }))) as JsonText;
  test.each([
    { when: 'result.all(x, steps.a.result == result)', value: list },
    { when: 'result.all(x, x in steps.a.result)', value: list },
    { when: 'result.exists(x, result.exists(y, result.exists(z, z < 0)))', value: list },
    { when: 'result.exists(x, result.exists(y, y < 0) || steps.a.result.exists(z, z < 0))', value: list },
    { when: 'true || result.exists(x, result.exists(y, y < 0)) || false', value: list, holds: true },
    { when: 'result.exists(x, result.exists(y, y < 0)) || true', value: list },
    { when: 'result.map(x, result + result).size() == 0', value: list },
    { when: 'result.all(a, steps.a.result.exists(b, a.id == b.id))', value: rows },
    { when: 'steps.a.result.contains(result)', value: text(60_000) },
    { when: 'result.split("").map(x, result.split("")).size() == 1', value: text(60_000) },
  ])('$when', ({ when, value, holds }) => {
    const parsed = parseCondition(when);
    if (!parsed.ok) throw new Error(parsed.error);
    const scope = {
      result: value,
      stepResult: () => value,
      stepState: () => '',
      run: { name: '', namespace: '', uid: '' },
    };
    const held = conditionHolds(parsed.value, scope);
    const tooMuch = `the condition takes more than ${limits.conditionWork} steps of work`;
    if (holds === undefined) expect(held.ok ? held.value : held.error).toContain(tooMuch);
    else expect(held).toEqual({ ok: true, value: holds });
  });

  test('one pass over the largest list is no such thing, and a condition may be asked again', () => {
    const parsed = parseCondition('result.all(x, x == 1) && result.size() > 3');
    if (!parsed.ok) throw new Error(parsed.error);
    const { value: condition } = parsed;
    const scope = {
      result: list,
      stepResult: () => undefined,
      stepState: () => '',
      run: { name: '', namespace: '', uid: '' },
    };
    for (let time = 0; time < 3; time += 1) expect(conditionHolds(condition, scope)).toEqual({ ok: true, value: true });
  });
});

describe('the weight of a value', () => {
  test.each<{ value: unknown; most: number; weight: number }>([
    { value: 5n, most: 100, weight: 1 },
    { value: 'four', most: 100, weight: 5 },
    { value: [1n, [2n, 'a']], most: 100, weight: 6 },
    { value: new Map([['a', 1n]]), most: 100, weight: 4 },
  ])('$value weighs $weight', ({ value, most, weight }) => {
    expect(weightOf(value, most)).toBe(weight);
  });

  test('is counted no further than it has to be, where things stand within themselves many times', () => {
    let value: unknown = 'x';
    for (let level = 0; level < 60; level += 1) value = [value, value];
    expect(weightOf(value, 1_000)).toBeGreaterThan(1_000);
  });
});
