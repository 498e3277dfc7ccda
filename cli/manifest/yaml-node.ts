/** A value as it stands in a file. Offsets count from the beginning of the file. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode;

interface NodePlace {
  readonly start: number;
  /** Nodes within, itself included, with aliases followed: what expands without bound is refused. */
  readonly size: number;
}

export interface ScalarNode extends NodePlace {
  readonly kind: 'Scalar';
  /** As it is written, without quotes. */
  readonly text: string;
  readonly value: unknown;
}

export interface SequenceNode extends NodePlace {
  readonly kind: 'Sequence';
  readonly items: readonly YamlNode[];
}

export interface MappingNode extends NodePlace {
  readonly kind: 'Mapping';
  readonly entries: ReadonlyMap<string, MappingEntry>;
}

export interface MappingEntry {
  readonly keyStart: number;
  readonly node: YamlNode;
}

/** The value that a node stands for, as JSON: numbers keep the text with which the API server would serve them. */
export function valueOf(node: YamlNode): unknown {
  switch (node.kind) {
    case 'Scalar':
      return node.value;
    case 'Sequence':
      return node.items.map(valueOf);
    case 'Mapping':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, valueOf(entry.node)]));
  }
}

const segment = /^(?:\.?([\w$-]+)|\."((?:[^"\\]|\\.)*)"|\[(\d+)\])/;

/** Steps of a field path such as `spec.chain[2]."odd key".args`. */
export function stepsOf(path: string): readonly (string | number)[] {
  const steps: (string | number)[] = [];
  let rest = path;
  for (let found = segment.exec(rest); found !== null && rest !== ''; found = segment.exec(rest)) {
    const [whole, word, quoted, index] = found;
    steps.push(index === undefined ? (word ?? (JSON.parse(`"${quoted ?? ''}"`) as string)) : Number(index));
    rest = rest.slice(whole.length);
  }
  return steps;
}

/** Where a path leads: the offset of its key or item, and its node; the nearest one above where it leads nowhere. */
export interface Found {
  readonly start: number;
  readonly node: YamlNode;
  /** Every step of the path was there. */
  readonly isWhole: boolean;
}

export function findNode(root: YamlNode, steps: readonly (string | number)[]): Found {
  let found: Found = { start: root.start, node: root, isWhole: true };
  for (const step of steps) {
    const next = childOf(found.node, step);
    if (next === undefined) return { ...found, isWhole: false };
    found = next;
  }
  return found;
}

function childOf(node: YamlNode, step: string | number): Found | undefined {
  if (node.kind === 'Sequence') {
    const item = typeof step === 'number' ? node.items[step] : undefined;
    return item === undefined ? undefined : { start: item.start, node: item, isWhole: true };
  }
  if (node.kind !== 'Mapping') return undefined;
  const entry = node.entries.get(String(step));
  return entry === undefined ? undefined : { start: entry.keyStart, node: entry.node, isWhole: true };
}
