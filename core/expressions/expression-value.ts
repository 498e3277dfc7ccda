import { isRawNumber, parseJson, type JsonText } from '#core/base/json-text.ts';
import { parsePythonJson, type SourceReviver } from '#core/base/python-json.ts';

/** Integers of so many digits are exact; a longer one is a double, as are all numbers with a point or an exponent. */
const exactDigits = 64;

/**
 * The value of JSON text for an expression: integers as `bigint`, which is CEL's int, other numbers as doubles, and
 * objects as Maps, so that no key is mistaken for something of JavaScript's. Throws SyntaxError on what is no JSON, not
 * even as Python writes it, and RangeError when it is nested deeper than the stack.
 */
export function expressionValueOf(text: JsonText): unknown {
  try {
    return convert(parseJson(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return parsePythonJson(text, revive);
  }
}

/** Slower than `convert`, but sees the text of numbers where Python's words stand among them. */
const revive: SourceReviver = (_key, value, { source }) => {
  if (typeof value === 'number') return isExact(source) ? BigInt(source) : value;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : value;
};

function convert(value: unknown): unknown {
  // Where a number's text says more than the number, there is a RawNumber.
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (isRawNumber(value)) return isExact(value.rawJSON) ? BigInt(value.rawJSON) : Number(value.rawJSON);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(convert);
  return new Map(Object.entries(value).map(([key, item]) => [key, convert(item)]));
}

function isExact(source: string | undefined): source is string {
  return source !== undefined && source.length <= exactDigits && /^-?[0-9]+$/.test(source);
}
