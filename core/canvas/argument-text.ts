import { isRawNumber, stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { findNamedResults, namedResultKey } from '#core/resources/named-result.ts';
import type { ArgumentText, ResultReference } from './element.ts';

/** The text of an argument, with a gap for each `{$result: name}` in it. */
export function argumentText(value: unknown): ArgumentText {
  if (findNamedResults(value).length === 0) return stringifyJson(value);
  const parts: (string | ResultReference)[] = [];
  addValue(value, parts);
  return parts;
}

function addValue(value: unknown, parts: (string | ResultReference)[]): void {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) {
    addText(stringifyJson(value), parts);
  } else if (Array.isArray(value)) {
    addText('[', parts);
    value.forEach((item: unknown, index) => {
      if (index > 0) addText(',', parts);
      addValue(item, parts);
    });
    addText(']', parts);
  } else addObject(value as Readonly<Record<string, unknown>>, parts);
}

function addObject(value: Readonly<Record<string, unknown>>, parts: (string | ResultReference)[]): void {
  const name = value[namedResultKey];
  if (typeof name === 'string') {
    parts.push({ name });
    return;
  }
  Object.entries(value).forEach(([key, item], index) => {
    addText(`${index === 0 ? '{' : ','}${stringifyJson(key)}:`, parts);
    addValue(item, parts);
  });
  addText(Object.keys(value).length === 0 ? '{}' : '}', parts);
}

/** Neighbouring texts become one. */
function addText(text: JsonText | string, parts: (string | ResultReference)[]): void {
  const last = parts.at(-1);
  if (typeof last === 'string') parts[parts.length - 1] = last + text;
  else parts.push(text);
}
