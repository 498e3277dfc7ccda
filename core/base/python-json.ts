import { stringifyJson, type JsonText } from './json-text.ts';

/** A string whole, or one of the words that Python's `json.dumps` writes and JSON has not. */
const wordOrString = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs;

/** What stands for each word while the text is parsed: too large for a number, so nobody else writes it. */
const standIns: Readonly<Record<string, string>> = { Infinity: '1e999', '-Infinity': '-1e999', NaN: '-0e999' };

/** As JSON.parse takes it: what it returns stands for the value; `source` is the text of a number. */
export type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const parse = JSON.parse as (text: string, reviver?: SourceReviver) => unknown;

/** Parses JSON as JavaScript does, but takes `NaN`, `Infinity` and `-Infinity` for numbers. Throws SyntaxError else. */
export function parsePythonJson(text: string, reviver?: SourceReviver): unknown {
  try {
    return parse(text, reviver);
  } catch (error) {
    if (!mayHoldWords(text)) throw error;
    const plain = text.replace(wordOrString, (found) => standIns[found] ?? found);
    return parse(plain, (key, value, context) => {
      const word = context.source === standIns['NaN'] ? Number.NaN : value;
      return reviver === undefined ? word : reviver(key, word, context);
    });
  }
}

/** Is this one JSON value, give or take Python's three words? */
export function isPythonJson(text: string): boolean {
  try {
    parsePythonJson(text);
    return true;
  } catch {
    return false;
  }
}

/** The same value in JSON that everyone reads: Python's words become strings (`NaN` → `"NaN"`). Numbers keep their text. */
export function strictJson(text: JsonText): JsonText {
  if (!mayHoldWords(text)) return text;
  return text.replace(wordOrString, (found) => (found in standIns ? stringifyJson(found) : found)) as JsonText;
}

function mayHoldWords(text: string): boolean {
  return text.includes('NaN') || text.includes('Infinity');
}
