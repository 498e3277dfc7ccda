import { limits } from '#core/base/limits.ts';
import { exhausted } from './meter.ts';

/** What the library's errors have in common. Their messages may hold values; their codes and places do not. */
interface LibraryError {
  readonly code: string;
  readonly summary: string;
  readonly node?: { readonly start: number; readonly end: number };
}

const shownCharacters = 80;

/** Why an expression gave no value: the kind of failure, and the part of the expression; never a value. */
export function failureOf(error: unknown, text: string): string {
  if (error === exhausted)
    return `the condition takes more than ${limits.conditionWork} steps of work with these values; ask for less, or decide in a task`;
  if (!isLibraryError(error)) return 'the condition cannot be evaluated: its values are nested too deep';
  const { code, node } = error;
  const part = node === undefined ? text : text.slice(node.start, node.end);
  return `the condition cannot be evaluated: ${code.replaceAll('_', ' ')} at ${shorten(part)}`;
}

/** What is wrong with an expression that was not evaluated: there, messages hold nothing but its own text. */
export function summaryOf(error: unknown): string {
  if (!isLibraryError(error)) return 'it is nested too deep';
  const { summary, node } = error;
  return node === undefined ? summary : `${summary}, at character ${node.start + 1}`;
}

function isLibraryError(error: unknown): error is LibraryError {
  return error instanceof Error && 'code' in error && 'summary' in error;
}

/** A value's kind, in words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'bigint' || typeof value === 'number') return 'a number';
  return typeof value === 'string' ? 'text' : 'a map';
}

function shorten(part: string): string {
  return part.length <= shownCharacters ? part : `${part.slice(0, shownCharacters)}…`;
}
