/** A part of a parsed expression, as the CEL library makes it: what this folder reads of it. */
export interface SyntaxNode {
  readonly op: string;
  readonly args: unknown;
  /** Where it stands in the text. */
  readonly start: number;
  readonly end: number;
  /** What a macro, such as `all`, was expanded to; it is evaluated instead. */
  readonly meta: { readonly alternate?: SyntaxNode };
}

/** The parts that a part is made of, as they were written: those of a macro are its receiver and arguments. */
export function partsOf({ op, args }: SyntaxNode): readonly SyntaxNode[] {
  if (op === 'value' || op === 'id') return [];
  if (isNode(args)) return [args];
  const found: readonly unknown[] = Array.isArray(args) ? (args as unknown[]).flat(2) : Object.values(args ?? {});
  return found.filter(isNode);
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'op' in value;
}

/** A call of a function or a method by its name. */
export interface Call {
  readonly name: string;
  readonly receiver?: SyntaxNode;
  readonly args: readonly SyntaxNode[];
}

export function callOf({ op, args }: SyntaxNode): Call | undefined {
  if (op === 'call') {
    const [name, given] = args as [string, SyntaxNode[]];
    return { name, args: given };
  }
  if (op !== 'rcall') return undefined;
  const [name, receiver, given] = args as [string, SyntaxNode, SyntaxNode[]];
  return { name, receiver, args: given };
}

/** What is read of what, where that is written as a name: `a.b` and `a["b"]`. */
export function fieldOf({ op, args }: SyntaxNode): { readonly of: SyntaxNode; readonly field: string } | undefined {
  if (op === '.') {
    const [of, field] = args as [SyntaxNode, string];
    return { of, field };
  }
  if (op !== '[]') return undefined;
  const [of, index] = args as [SyntaxNode, SyntaxNode];
  return index.op === 'value' && typeof index.args === 'string' ? { of, field: index.args } : undefined;
}
