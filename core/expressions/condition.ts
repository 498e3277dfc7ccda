import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import type { JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { fail, ok, type Result } from '#core/base/result.ts';
import { isLongerThan } from '#core/base/utf8-length.ts';
import { failureOf, kindOf, summaryOf } from './evaluation-failure.ts';
import { expressionValueOf } from './expression-value.ts';
import { exhausted, meterExpression, type Meter } from './meter.ts';
import { surveyExpression, type Survey } from './survey.ts';
import type { SyntaxNode } from './syntax.ts';

/** What a condition is asked about. */
export interface ConditionScope {
  /** The value that comes in; undefined when nothing does. */
  readonly result: JsonText | undefined;
  /** Undefined when the step has none: it failed, or was skipped. */
  readonly stepResult: (name: string) => JsonText | undefined;
  readonly stepState: (name: string) => string;
  readonly run: { readonly name: string; readonly namespace: string; readonly uid: string };
}

/** An expression in CEL that was found to be one, and that gives true or false. */
export interface Condition {
  readonly text: string;
  /** The steps it speaks of. */
  readonly stepNames: readonly string[];
  /** The steps whose results it asks for; of the others, only how they ended. */
  readonly resultNames: readonly string[];
  /** Whether it asks for the value that comes in. */
  readonly usesResult: boolean;
  readonly program: Program;
}

/** Evaluates with values by name. Throws what the library throws, and whenever the work was more than it may be. */
type Program = (values: Readonly<Record<string, unknown>>, work: number) => unknown;

const language = new Environment({
  limits: { maxAstNodes: limits.conditionParts, maxDepth: limits.conditionDepth },
})
  .registerVariable('result', 'dyn')
  .registerVariable('steps', 'map<string, map<string, dyn>>')
  .registerVariable('run', 'map<string, string>');

/** The same text stands in thousands of members of a group: it is read once. */
const known = new Map<string, Result<Condition, string>>();
const mostKnown = 256;

/**
 * Reads a condition; the same text gives the same object, for a while. The error says what is wrong, for its author, and
 * begins in the middle of a sentence.
 */
export function parseCondition(text: string): Result<Condition, string> {
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size >= mostKnown) known.clear();
  const parsed = parseText(text);
  if (text.length <= limits.conditionCharacters) known.set(text, parsed);
  return parsed;
}

function parseText(text: string): Result<Condition, string> {
  if (text.length > limits.conditionCharacters)
    return fail(`is longer than ${limits.conditionCharacters} characters; let a task decide, and return true or false`);
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  const surveyed = surveyExpression(parsed.value.ast as unknown as SyntaxNode);
  if (!surveyed.ok) return surveyed;
  const { valid, type = 'dyn', error } = parsed.value.check();
  if (!valid) return fail(`cannot be evaluated: ${summaryOf(error)}`);
  if (type !== 'bool' && type !== 'dyn') return fail(`gives a value of type ${type}; it must give true or false`);
  return ok(conditionOf(text, parsed.value, surveyed.value));
}

function parse(text: string): Result<ParseResult, string> {
  try {
    return ok(language.parse(text));
  } catch (error) {
    return fail(`is no expression in CEL: ${summaryOf(error)}`);
  }
}

function conditionOf(text: string, parsed: ParseResult, survey: Survey): Condition {
  const meter: Meter = { left: 0 };
  meterExpression(parsed.ast as unknown as SyntaxNode, meter);
  const program: Program = (values, work) => {
    meter.left = work;
    const value: unknown = parsed({ ...values });
    // The library goes on where an error does not matter to the answer, as in `true || …`.
    if (meter.left < 0) throw exhausted;
    return value;
  };
  return { text, ...survey, program };
}

/**
 * Whether the condition holds. Never throws and never takes long: the error says, for the workflow's author and without a
 * word of any value, why it gives neither true nor false.
 */
export function conditionHolds(condition: Condition, scope: ConditionScope): Result<boolean, string> {
  const values = valuesFor(condition, scope);
  if (!values.ok) return values;
  try {
    const value = condition.program(values.value, limits.conditionWork);
    if (typeof value === 'boolean') return ok(value);
    return fail(`the condition gives ${kindOf(value)}, and must give true or false`);
  } catch (error) {
    return fail(failureOf(error, condition.text));
  }
}

function valuesFor(condition: Condition, scope: ConditionScope): Result<Readonly<Record<string, unknown>>, string> {
  const values: Record<string, unknown> = { run: new Map(Object.entries(scope.run)) };
  if (condition.usesResult) {
    if (scope.result === undefined) return fail('the condition asks for result, but no value comes in');
    const result = valueOf(scope.result, 'result');
    if (!result.ok) return result;
    values['result'] = result.value;
  }
  const steps = new Map<string, ReadonlyMap<string, unknown>>();
  for (const name of condition.stepNames) {
    const step = stepOf(name, condition, scope);
    if (!step.ok) return step;
    steps.set(name, step.value);
  }
  return ok({ ...values, steps });
}

function stepOf(
  name: string,
  { resultNames }: Condition,
  scope: ConditionScope,
): Result<ReadonlyMap<string, unknown>, string> {
  const step = new Map<string, unknown>([['state', scope.stepState(name)]]);
  const text = resultNames.includes(name) ? scope.stepResult(name) : undefined;
  if (text === undefined) return ok(step);
  const result = valueOf(text, `steps.${name}.result`);
  return result.ok ? ok(step.set('result', result.value)) : result;
}

function valueOf(text: JsonText, name: string): Result<unknown, string> {
  if (isLongerThan(text, limits.conditionValueBytes))
    return fail(
      `${name} is larger than ${limits.conditionValueBytes / 1024} KiB, which a condition does not look at; let the task return what matters, or decide in a task`,
    );
  try {
    return ok(expressionValueOf(text));
  } catch {
    return fail(`${name} is no JSON, or nested too deep for a condition`);
  }
}
