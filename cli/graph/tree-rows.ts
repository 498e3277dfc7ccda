import type { GraphElement } from './graph-element.ts';

/** One line of a tree: what leads to the element, and the element, or how many siblings were left out there. */
export interface TreeRow {
  readonly lead: string;
  readonly element?: GraphElement;
  readonly hidden?: number;
}

export interface TreeOptions {
  /** Children of one element that are shown; the rest is counted. */
  readonly mostChildren: number;
  /** Children that are shown first when not all are; default: none, so the order of the file decides. */
  readonly mattersMore?: (element: GraphElement) => number;
}

/** A graph as lines, the root first. */
export function treeRows(root: GraphElement, options: TreeOptions): readonly TreeRow[] {
  return [{ lead: '', element: root }, ...rowsBelow(root, '', options)];
}

function rowsBelow(element: GraphElement, indent: string, options: TreeOptions): readonly TreeRow[] {
  const shown = chosen(element.children, options);
  const hidden = element.children.length - shown.length;
  return [
    ...shown.flatMap((child, index) => {
      const isLast = index === shown.length - 1 && hidden === 0;
      const row: TreeRow = { lead: `${indent}${isLast ? '└─ ' : '├─ '}`, element: child };
      return [row, ...rowsBelow(child, `${indent}${isLast ? '   ' : '│  '}`, options)];
    }),
    ...(hidden === 0 ? [] : [{ lead: `${indent}└─ `, hidden }]),
  ];
}

function chosen(
  children: readonly GraphElement[],
  { mostChildren, mattersMore }: TreeOptions,
): readonly GraphElement[] {
  if (children.length <= mostChildren) return children;
  const rank = mattersMore ?? (() => 0);
  const ranked = children.map((child, index) => ({ child, index, rank: rank(child) }));
  return ranked
    .sort((a, b) => b.rank - a.rank || a.index - b.index)
    .slice(0, mostChildren)
    .sort((a, b) => a.index - b.index)
    .map(({ child }) => child);
}
