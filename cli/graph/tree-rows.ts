import type { GraphNode } from './graph-node.ts';

/** One line of a tree: what leads to the node, and the node, or how many siblings were left out there. */
export interface TreeRow {
  readonly lead: string;
  readonly node?: GraphNode;
  readonly hidden?: number;
}

export interface TreeOptions {
  /** Children of one node that are shown; the rest is counted. */
  readonly mostChildren: number;
  /** Children that are shown first when not all are; default: none, so the order of the file decides. */
  readonly mattersMore?: (node: GraphNode) => number;
}

/** A graph as lines, the root first. */
export function treeRows(root: GraphNode, options: TreeOptions): readonly TreeRow[] {
  return [{ lead: '', node: root }, ...rowsBelow(root, '', options)];
}

function rowsBelow(node: GraphNode, indent: string, options: TreeOptions): readonly TreeRow[] {
  const shown = chosen(node.children, options);
  const hidden = node.children.length - shown.length;
  return [
    ...shown.flatMap((child, index) => {
      const isLast = index === shown.length - 1 && hidden === 0;
      const row: TreeRow = { lead: `${indent}${isLast ? '└─ ' : '├─ '}`, node: child };
      return [row, ...rowsBelow(child, `${indent}${isLast ? '   ' : '│  '}`, options)];
    }),
    ...(hidden === 0 ? [] : [{ lead: `${indent}└─ `, hidden }]),
  ];
}

function chosen(children: readonly GraphNode[], { mostChildren, mattersMore }: TreeOptions): readonly GraphNode[] {
  if (children.length <= mostChildren) return children;
  const rank = mattersMore ?? (() => 0);
  const ranked = children.map((child, index) => ({ child, index, rank: rank(child) }));
  return ranked
    .sort((a, b) => b.rank - a.rank || a.index - b.index)
    .slice(0, mostChildren)
    .sort((a, b) => a.index - b.index)
    .map(({ child }) => child);
}
