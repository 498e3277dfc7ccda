import { callOf, partsOf, type SyntaxNode } from './syntax.ts';

/** What is left of the work that one evaluation may do. Below zero: it was more, and no answer counts. */
export interface Meter {
  left: number;
}

type Evaluate = (this: SyntaxNode, evaluator: unknown, node: SyntaxNode, context: unknown) => unknown;

/** Thrown wherever an evaluation goes on that has used up its work; made once, for it may be thrown many times. */
export const exhausted = new Error('more work than allowed');

/** A pattern of up to so many characters is searched for in one pass over the text; a longer one may take many. */
const shortPattern = 64;
const longPatternPasses = 256;

/**
 * Makes every part of a parsed expression count its evaluations, and, before anything is done with it that takes the
 * longer the larger it is, the size of its value. The library has no such bound: a short expression over two lists of
 * thousands would hold up everyone else's workflows.
 */
export function meterExpression(root: SyntaxNode, meter: Meter): void {
  const seen = new Set<SyntaxNode>();
  const left: SyntaxNode[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const inner = node.meta.alternate;
    const parts = [...partsOf(node), ...(inner === undefined ? [] : [inner])];
    left.push(...parts);
  }
  const costs = costsOf(seen);
  for (const node of seen) meterNode(node, meter, costs.get(node) ?? free);
}

type CostOf = (value: unknown, most: number) => number;

const free: CostOf = () => 0;
const comparing = new Set(['==', '!=', '<', '<=', '>', '>=', 'in', '+', '*']);
const searching = new Set(['contains', 'split']);

/** What the value of a part costs whoever it is given to; parts that are only looked into cost nothing. */
function costsOf(nodes: ReadonlySet<SyntaxNode>): ReadonlyMap<SyntaxNode, CostOf> {
  const costs = new Map<SyntaxNode, CostOf>();
  for (const node of nodes) {
    const call = callOf(node);
    if (call !== undefined) {
      const ofArgument = searching.has(call.name) ? patternCost : weightOf;
      for (const argument of call.args) costs.set(argument, ofArgument);
      // A macro goes through its receiver, entry by entry; anything else may look at all that is in it.
      if (call.receiver !== undefined) costs.set(call.receiver, node.meta.alternate === undefined ? weightOf : countOf);
    } else if (comparing.has(node.op)) for (const part of partsOf(node)) costs.set(part, weightOf);
  }
  return costs;
}

function meterNode(node: SyntaxNode, meter: Meter, costOf: CostOf): void {
  const own = node as SyntaxNode & { evaluate: Evaluate };
  let evaluate = own.evaluate;
  const metered: Evaluate = (evaluator, self, context) => {
    spend(meter, 1);
    const value = evaluate.call(node, evaluator, self, context);
    if (costOf !== free) spend(meter, costOf(value, meter.left));
    return value;
  };
  // The library puts a faster function into this property at the first evaluation.
  Object.defineProperty(node, 'evaluate', {
    get: () => metered,
    set: (faster: Evaluate) => {
      evaluate = faster;
    },
  });
}

function spend(meter: Meter, work: number): void {
  meter.left -= work;
  if (meter.left < 0) throw exhausted;
}

function patternCost(value: unknown, most: number): number {
  const length = weightOf(value, most);
  return length <= shortPattern ? length : length * longPatternPasses;
}

/** The number of entries. */
function countOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 1;
}

/** The size of a value: one for each value within, and for each character; counted until it is over `most`. */
export function weightOf(value: unknown, most: number): number {
  let weight = 0;
  const left: unknown[] = [value];
  while (left.length > 0 && weight <= most) {
    const item = left.pop();
    weight += 1;
    if (typeof item === 'string') weight += item.length;
    else if (countOf(item) > most) return weight + countOf(item);
    else if (typeof item === 'object' && item !== null) for (const part of withinOf(item)) left.push(part);
  }
  return weight + left.length;
}

function withinOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value as unknown[];
  if (value instanceof Map) return [...value.keys(), ...value.values()] as unknown[];
  return [...Object.keys(value), ...(Object.values(value) as unknown[])];
}
