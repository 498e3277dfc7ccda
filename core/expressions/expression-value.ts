import type { JsonText } from '#core/base/json-text.ts';
import { parsePythonJson } from '#core/base/python-json.ts';

/** Integers of so many digits are exact; a longer one is a double, as are all numbers with a point or an exponent. */
const exactDigits = 64;

/**
 * The value of JSON text for an expression: integers as `bigint`, which is CEL's int, other numbers as doubles, and
 * objects as Maps, so that no key is mistaken for something of JavaScript's. Throws SyntaxError on what is no JSON, and
 * RangeError when it is nested deeper than the stack.
 */
export function expressionValueOf(text: JsonText): unknown {
  return parsePythonJson(text, (_key, value, { source }) => {
    if (typeof value === 'number') return isExact(source) ? BigInt(source) : value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return new Map(Object.entries(value));
  });
}

function isExact(source: string | undefined): source is string {
  return source !== undefined && source.length <= exactDigits && /^-?[0-9]+$/.test(source);
}
