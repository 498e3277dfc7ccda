declare const brand: unique symbol;

/**
 * Text that is one JSON value, with the numbers as their author wrote them. Arguments and results travel as such text,
 * because JavaScript cannot tell `1` from `1.0` nor keep integers beyond 2^53. Text that came from a Python worker may
 * also hold `NaN`, `Infinity` and `-Infinity`.
 */
export type JsonText = string & { readonly [brand]: true };

/** A number that JavaScript cannot reproduce character for character; `stringifyJson` writes its text back. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | RawNumber
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** ECMAScript's "JSON.parse source text access", in Node since 22; TypeScript's library does not name it yet. */
const json = JSON as unknown as {
  parse(text: string, reviver?: Reviver): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

/**
 * Only text that matches may hold a number whose own text matters; the plain parser is ten times as fast. It looks where
 * values stand, so that dates and UUIDs within strings do not count.
 */
const delicateNumber = /(?:^|[:[,])\s*(?:-0|-?[0-9]{16}|-?[0-9]+[.eE])/;

export const nullText = 'null' as JsonText;

/** Parses JSON; a number that would lose its text becomes a `RawNumber`. Throws SyntaxError on anything else than JSON. */
export function parseJson(text: string): unknown {
  return delicateNumber.test(text) ? json.parse(text, keepNumberText) : json.parse(text);
}

/** The text of a value; numbers kept by `parseJson` come back as they were written. Keys keep their order. */
export function stringifyJson(value: unknown): JsonText {
  return ((JSON.stringify(value) as string | undefined) ?? 'null') as JsonText;
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** The number itself, where only its value counts: also of one that kept its text. */
export function plainNumber(value: number | RawNumber): number {
  return isRawNumber(value) ? Number(value.rawJSON) : value;
}

const keepNumberText: Reviver = (_key, value, context) => {
  if (typeof value !== 'number') return value;
  const { source } = context;
  return source === undefined || String(value) === source ? value : json.rawJSON(source);
};

/** The same value with the keys of every object sorted: two specs are equal when this text is. */
export function canonicalJson(value: unknown): JsonText {
  return stringifyJson(sorted(value));
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || isRawNumber(value)) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
