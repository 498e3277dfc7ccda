import type { JsonText } from './json-text.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COLON = 0x3a;

/** Where a value's text stands in a longer text: from `start` up to, not including, `end`. */
export type Span = readonly [start: number, end: number];

/**
 * The span of one key's value in the text of a JSON object, so that the value can be cut out with its numbers as written.
 * The first of repeated keys wins. Undefined when the text is no object or has no such key. Only the text's structure is
 * followed: a value with a fault inside is found all the same, so parse the whole text where it comes from a stranger.
 */
export function topLevelSpan(text: string, key: string): Span | undefined {
  let found: Span | undefined;
  walkObject(text, (keyStart, keyEnd, span) => {
    if (!isKey(text, [keyStart, keyEnd], key)) return true;
    found = span;
    return false;
  });
  return found;
}

/** The texts of a JSON object's values by key, in order. Undefined when the text is no whole object. */
export function entries(text: string): Map<string, JsonText> | undefined {
  const found = new Map<string, JsonText>();
  const whole = walkObject(text, (keyStart, keyEnd, [start, end]) => {
    const key = unquote(text.slice(keyStart, keyEnd));
    if (key === undefined) return false;
    found.set(key, text.slice(start, end) as JsonText);
    return true;
  });
  return whole ? found : undefined;
}

/** The texts of a JSON array's elements, in order. Undefined when the text is no whole array. */
export function elements(text: string): JsonText[] | undefined {
  const spans = elementSpans(text);
  if (spans === undefined) return undefined;
  return Array.from({ length: spans.length / 2 }, (_, i) => text.slice(spans[i * 2], spans[i * 2 + 1]) as JsonText);
}

/** Where a JSON array's elements stand: start and end of each, one after the other. Undefined as for `elements`. */
export function elementSpans(text: string): Uint32Array | undefined {
  const found = new SpanList();
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACKET) return undefined;
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) === CLOSE_BRACKET) return isRestBlank(text, at + 1) ? found.spans() : undefined;
  for (;;) {
    const end = endOfValue(text, at);
    if (end === -1) return undefined;
    found.add(at, end);
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === CLOSE_BRACKET) return isRestBlank(text, at + 1) ? found.spans() : undefined;
    if (text.charCodeAt(at) !== COMMA) return undefined;
    at = skipSpace(text, at + 1);
  }
}

/** Spans as numbers side by side: a list of 100,000 is one array, not as many objects. */
class SpanList {
  #numbers = new Uint32Array(64);
  #length = 0;

  add(start: number, end: number): void {
    if (this.#length + 2 > this.#numbers.length) {
      const longer = new Uint32Array(this.#numbers.length * 2);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    this.#numbers[this.#length] = start;
    this.#numbers[this.#length + 1] = end;
    this.#length += 2;
  }

  spans(): Uint32Array {
    return this.#numbers.slice(0, this.#length);
  }
}

/** The text of an array of these values. */
export function arrayOf(values: readonly string[]): JsonText {
  return `[${values.join(',')}]` as JsonText;
}

/** The text of an object of these values, in their order. */
export function objectOf(values: ReadonlyMap<string, string>): JsonText {
  return `{${[...values].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}` as JsonText;
}

/** The text of the array `[first, ...rest]`, where `rest` is the text of an array. */
export function prepend(first: string, rest: JsonText): JsonText {
  const inner = rest.trim().slice(1, -1).trim();
  return (inner === '' ? `[${first}]` : `[${first},${inner}]`) as JsonText;
}

type Visit = (keyStart: number, keyEnd: number, value: Span) => boolean;

/** Calls `visit` per entry until it says false; true when the whole object was read to its end. */
function walkObject(text: string, visit: Visit): boolean {
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACE) return false;
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) === CLOSE_BRACE) return isRestBlank(text, at + 1);
  for (;;) {
    const end = visitEntry(text, at, visit);
    if (end === -1) return false;
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === CLOSE_BRACE) return isRestBlank(text, at + 1);
    if (text.charCodeAt(at) !== COMMA) return false;
    at = skipSpace(text, at + 1);
  }
}

/** The end of the entry whose key starts here; -1 when there is none or `visit` has seen enough. */
function visitEntry(text: string, keyStart: number, visit: Visit): number {
  const keyEnd = text.charCodeAt(keyStart) === QUOTE ? endOfString(text, keyStart) : -1;
  if (keyEnd === -1) return -1;
  const colon = skipSpace(text, keyEnd);
  if (text.charCodeAt(colon) !== COLON) return -1;
  const start = skipSpace(text, colon + 1);
  const end = endOfValue(text, start);
  return end !== -1 && visit(keyStart, keyEnd, [start, end]) ? end : -1;
}

function isKey(text: string, [start, end]: Span, key: string): boolean {
  if (end - start === key.length + 2 && text.startsWith(key, start + 1)) return true;
  const written = text.slice(start, end);
  return written.includes('\\') && unquote(written) === key;
}

function unquote(written: string): string | undefined {
  if (!written.includes('\\')) return written.slice(1, -1);
  try {
    return JSON.parse(written) as string;
  } catch {
    return undefined;
  }
}

/** -1 when the text ends before the value does. */
function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(text, start);
  let at = start;
  while (at < text.length && isScalar(text.charCodeAt(at))) at += 1;
  return at === start ? -1 : at;
}

/** `start` stands on the opening quote. */
function endOfString(text: string, start: number): number {
  let at = start;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at === -1) return -1;
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 1) return at + 1;
  }
}

function endOfNested(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at) - 1;
      if (at < 0) return -1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}

function isScalar(code: number): boolean {
  return code > 0x20 && code !== COMMA && code !== CLOSE_BRACKET && code !== CLOSE_BRACE && code !== COLON;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

function isRestBlank(text: string, start: number): boolean {
  return skipSpace(text, start) === text.length;
}
