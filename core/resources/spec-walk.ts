import { isRawNumber } from '#core/base/json-text.ts';
import { nearestWord } from '#core/base/nearest-word.ts';
import type { SpecProblem } from './spec-problem.ts';
import type { Reference, Spot } from './spot.ts';
import { runFields } from './workflow.ts';

/** After so many problems the rest is not looked for. */
const maxProblems = 20;

/** What is gathered on the way through a spec. */
export interface Walk {
  readonly problems: SpecProblem[];
  /** Tasks and composites so far, with those that a map certainly unfolds. */
  members: number;
  readonly names: Map<string, { readonly path: string; readonly spot: Spot }>;
  readonly references: Reference[];
}

export type Fields = Readonly<Record<string, unknown>>;

export function startWalk(): Walk {
  return { problems: [], members: 0, names: new Map(), references: [] };
}

export function refuse(walk: Walk, path: string, message: string): void {
  if (!isFull(walk)) walk.problems.push({ path, message });
}

/** Whether so many problems were found that the rest is not looked for. */
export function isFull(walk: Walk): boolean {
  return walk.problems.length >= maxProblems;
}

export function checkKeys(fields: Fields, path: string, { walk, keys }: Known): void {
  for (const key in fields) if (!keys.includes(key)) refuseKey(key, path, { walk, keys });
}

interface Known {
  readonly walk: Walk;
  readonly keys: readonly string[];
}

function refuseKey(key: string, path: string, { walk, keys }: Known): void {
  if (Object.hasOwn(runFields, key)) {
    refuse(walk, `${path}.${key}`, `stands for the whole run; move it to spec.${key}`);
    return;
  }
  refuse(walk, `${path}.${shownKey(key)}`, unknownField(key, keys));
}

export function unknownField(key: string, known: readonly string[]): string {
  const near = nearestWord(key, known);
  return near === undefined
    ? `unknown field; known here are ${known.join(', ')}`
    : `unknown field; did you mean ${near}?`;
}

function shownKey(key: string): string {
  return /^[\w$-]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64));
}

export function asFields(value: unknown, path: string, walk: Walk): Fields | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value))
    return value as Fields;
  refuse(walk, path, `must be an object, but is ${nameOf(value)}`);
  return undefined;
}

/** The list, or an empty one when it is none or has too many entries. */
export function asList(
  value: unknown,
  path: string,
  { walk, max }: { readonly walk: Walk; readonly max: number },
): readonly unknown[] {
  if (!Array.isArray(value)) {
    refuse(walk, path, `must be a list, but is ${nameOf(value)}`);
    return [];
  }
  if (value.length > max) refuse(walk, path, `has ${value.length} entries; ${max} are allowed`);
  return value.length > max ? [] : value;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || isRawNumber(value)) return 'a number';
  return typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
