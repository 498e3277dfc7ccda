import fc from 'fast-check';

/** A canvas as the tests think of it; names are unique, so a call is known by its task's name. */
export interface TreeTask {
  readonly kind: 'task';
  readonly name: string;
  /** JSON texts, written as they must arrive. */
  readonly args: readonly string[];
  readonly kwargs: string;
  readonly immutable: boolean;
  /** What each attempt does; the last one stands for all that follow. */
  readonly attempts: readonly ('succeeds' | 'fails')[];
  /** The result's text. */
  readonly result: string;
  readonly link: readonly TreeTask[];
  readonly linkError: readonly TreeTask[];
}

export interface TreeList {
  readonly kind: 'chain' | 'group';
  readonly members: readonly Tree[];
  readonly link: readonly TreeTask[];
  readonly linkError: readonly TreeTask[];
}

export interface TreeChord {
  readonly kind: 'chord';
  readonly header: readonly Tree[];
  readonly body: Tree;
  readonly link: readonly TreeTask[];
  readonly linkError: readonly TreeTask[];
}

export type Tree = TreeTask | TreeList | TreeChord;

export interface TreeRun {
  readonly root: Tree;
  readonly finally: readonly TreeTask[];
}

/** Texts that a careless copy would change. */
const values = ['1.0', '-0', '1e400', '12345678901234567890', '"ü\\u0000😀"', '{"b": [1.50], "a": null}', 'true', '[]'];
/** What Python writes and JSON has not may come back as a result, but never stands in a spec. */
const results = [...values, 'NaN', '[-Infinity, {"x": NaN}]'];
const specValues = values.filter((text) => !text.includes(': '));

const attempts = fc.oneof(
  { weight: 6, arbitrary: fc.constant(['succeeds'] as const) },
  { weight: 1, arbitrary: fc.constant(['fails'] as const) },
  { weight: 1, arbitrary: fc.constantFrom(['fails', 'succeeds'] as const, ['succeeds', 'fails'] as const) },
);

const bare = fc.record({
  kind: fc.constant('task' as const),
  name: fc.constant(''),
  args: fc.array(fc.constantFrom(...specValues), { maxLength: 2 }),
  kwargs: fc.constantFrom('{}', '{"k":2.0}'),
  immutable: fc.boolean(),
  attempts,
  result: fc.constantFrom(...results),
  link: fc.constant([] as readonly TreeTask[]),
  linkError: fc.constant([] as readonly TreeTask[]),
});

/** Most elements have no handlers. */
const handlers: fc.Arbitrary<readonly TreeTask[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(bare, { minLength: 1, maxLength: 2 }) },
);
const both = { link: handlers, linkError: handlers };

const element = fc.letrec<{ tree: Tree; task: TreeTask; chain: TreeList; group: TreeList; chord: TreeChord }>(
  (tie) => ({
    tree: fc.oneof({ maxDepth: 5, withCrossShrink: true }, tie('task'), tie('chain'), tie('group'), tie('chord')),
    task: fc.tuple(bare, fc.record(both)).map(([task, own]) => ({ ...task, ...own })),
    chain: fc.record({
      kind: fc.constant('chain' as const),
      members: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
      ...both,
    }),
    group: fc.record({
      kind: fc.constant('group' as const),
      members: fc.array(tie('tree'), { maxLength: 4 }),
      ...both,
    }),
    chord: fc.record({
      kind: fc.constant('chord' as const),
      header: fc.array(tie('tree'), { maxLength: 3 }),
      body: tie('tree'),
      ...both,
    }),
  }),
).tree;

/** Canvases of up to six levels. */
export const randomRun: fc.Arbitrary<TreeRun> = fc
  .record({ root: element, finally: fc.array(bare, { maxLength: 2 }) })
  .map(named);

/** Gives every task a name of its own, in the order in which they are written. */
function named({ root, finally: last }: TreeRun): TreeRun {
  let count = 0;
  const name = (task: TreeTask): TreeTask => ({ ...task, name: `t${count++}` });
  const handlersOf = (tree: Tree) => ({ link: tree.link.map(name), linkError: tree.linkError.map(name) });
  const walk = (tree: Tree): Tree => {
    switch (tree.kind) {
      case 'task':
        return { ...name(tree), ...handlersOf(tree) };
      case 'chord':
        return { ...tree, header: tree.header.map(walk), body: walk(tree.body), ...handlersOf(tree) };
      default:
        return { ...tree, members: tree.members.map(walk), ...handlersOf(tree) };
    }
  };
  return { root: walk(root), finally: last.map(name) };
}

/** The spec as an author would write it, as JSON text. */
export function specText({ root, finally: last }: TreeRun): string {
  const body = treeText(root).slice(1, -1);
  return last.length === 0 ? `{${body}}` : `{${body},"finally":[${last.map(treeText).join(',')}]}`;
}

function treeText(tree: Tree): string {
  const list = (trees: readonly Tree[]): string => `[${trees.map(treeText).join(',')}]`;
  const handlersText =
    (tree.link.length === 0 ? '' : `,"link":${list(tree.link)}`) +
    (tree.linkError.length === 0 ? '' : `,"linkError":${list(tree.linkError)}`);
  switch (tree.kind) {
    case 'task': {
      const own = `"task":"${tree.name}","args":[${tree.args.join(',')}],"kwargs":${tree.kwargs}`;
      return `{${own}${tree.immutable ? ',"immutable":true' : ''}${handlersText}}`;
    }
    case 'chord':
      return `{"chord":{"header":${list(tree.header)},"body":${treeText(tree.body)}}${handlersText}}`;
    default:
      return `{"${tree.kind}":${list(tree.members)}${handlersText}}`;
  }
}

/** Every task by its name, handlers and `finally` included. */
export function tasksOf({ root, finally: last }: TreeRun): ReadonlyMap<string, TreeTask> {
  const found = new Map<string, TreeTask>();
  const walk = (tree: Tree): void => {
    if (tree.kind === 'task') found.set(tree.name, tree);
    const inner = tree.kind === 'task' ? [] : tree.kind === 'chord' ? [...tree.header, tree.body] : tree.members;
    for (const each of [...inner, ...tree.link, ...tree.linkError]) walk(each);
  };
  for (const each of [root, ...last]) walk(each);
  return found;
}
