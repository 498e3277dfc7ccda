import { elements, elementSpans } from '#core/base/json-span.ts';
import { stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import type { MapStep } from '#core/canvas/plan.ts';

/** The items of a map, folded: a text and where each item stands in it, or a rule. */
export interface Items {
  readonly count: number;
  item(index: number): JsonText;
}

/** What comes into a map cannot be taken item by item. */
export class NotAList extends Error {
  override readonly name = 'NotAList';
}

/** The items of a map, given what comes in. Throws `NotAList`, also for more items than a map may have. */
export function itemsOf(step: MapStep, input: JsonText | undefined): Items {
  const items = allItems(step, input);
  if (items.count <= limits.mapItems) return items;
  throw new NotAList(`${step.path}: ${items.count} items; a map takes at most ${limits.mapItems}, so split the list`);
}

function allItems({ over, path }: MapStep, input: JsonText | undefined): Items {
  switch (over.from) {
    case 'List': {
      const { items } = over;
      return { count: items.length, item: (index) => items[index] ?? missing(path, index) };
    }
    case 'Range': {
      const { start, stop, step } = over;
      const count = Math.max(0, Math.ceil((stop - start) / step));
      return { count, item: (index) => stringifyJson(start + index * step) };
    }
    case 'Input':
      return itemsOfText(path, input);
  }
}

function itemsOfText(path: string, text: JsonText | undefined): Items {
  const spans = text === undefined ? undefined : elementSpans(text);
  if (text === undefined || spans === undefined) {
    const found = text === undefined ? 'nothing comes in' : 'what comes in is no list';
    throw new NotAList(`${path}: ${found}; give over or range, or let the step before return a list`);
  }
  return {
    count: spans.length / 2,
    item: (index) => text.slice(spans[index * 2] ?? missing(path, index), spans[index * 2 + 1]) as JsonText,
  };
}

function missing(path: string, index: number): never {
  throw new RangeError(`${path}: has no item ${index}`);
}

/** So many members a map has: items, or chunks of them. */
export function memberCount({ chunk = 1 }: MapStep, items: Items): number {
  return Math.ceil(items.count / chunk);
}

/** The list that one message of a chunked map carries. */
export function chunkText({ chunk = 1 }: MapStep, items: Items, member: number): JsonText {
  const texts: string[] = [];
  for (let at = member * chunk; at < Math.min(items.count, (member + 1) * chunk); at += 1) texts.push(items.item(at));
  return `[${texts.join(', ')}]` as JsonText;
}

/** The arguments that an item is, when it is unpacked. Throws `NotAList`. */
export function unpacked(path: string, item: JsonText, index: number): readonly JsonText[] {
  const found = elements(item);
  if (found !== undefined) return found;
  throw new NotAList(`${path}: item ${index} is no list, and unpack makes each item's entries the arguments`);
}
