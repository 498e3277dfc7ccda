/** A place in a file as editors count: both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The place of an offset into a text. */
export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, Math.max(0, offset));
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: before.length - lineStart + 1 };
}
