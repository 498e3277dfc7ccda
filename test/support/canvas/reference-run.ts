import type { Tree, TreeRun, TreeTask } from './canvas-tree.ts';

/** How one task ended, as it was recorded. `text` is the result's, or the exception's. */
export interface TaskEnd {
  readonly succeeded: boolean;
  readonly text: string;
}

/** One call that must happen, once an attempt. */
export interface ExpectedCall {
  /** JSON texts of what the task gets; of an errback: its own arguments, without what it is told. */
  readonly args: readonly string[];
  readonly kwargs: string;
  /** Tasks that must have ended before this one is sent. */
  readonly after: readonly string[];
  /** Of an errback: the task that failed. */
  readonly failed?: string;
}

export type ReferenceState = 'Succeeded' | 'Failed' | 'Skipped';

export interface Reference {
  readonly calls: ReadonlyMap<string, ExpectedCall>;
  /** By step number: elements in the order in which they are written, handlers after their element's members. */
  readonly states: readonly ReferenceState[];
  readonly paths: readonly string[];
  /** The root's value; undefined when it failed. */
  readonly value: string | undefined;
  /** Tasks of the canvas that failed, handlers aside. */
  readonly failed: readonly string[];
}

interface Outcome {
  readonly state: ReferenceState;
  readonly value: string;
  /** Tasks within that were called, in the order in which they are written. */
  readonly called: readonly string[];
  readonly failed: readonly string[];
}

/**
 * What a canvas means, said as directly as it can be: run it in the head, one element at a time. It shares no code with
 * the engine, and it plans nothing.
 */
export function referenceRun(run: TreeRun, endOf: (task: string) => TaskEnd): Reference {
  const calls = new Map<string, ExpectedCall>();
  const states: ReferenceState[] = [];
  const paths: string[] = [];

  function number(path: string): number {
    paths.push(path);
    return states.push('Skipped') - 1;
  }

  function call(task: TreeTask, input: string | undefined, after: readonly string[]): Outcome {
    const args = task.immutable || input === undefined ? task.args : [input, ...task.args];
    calls.set(task.name, { args, kwargs: task.kwargs, after });
    const end = endOf(task.name);
    const failed = end.succeeded ? [] : [task.name];
    return { state: end.succeeded ? 'Succeeded' : 'Failed', value: end.text, called: [task.name], failed };
  }

  /** `after`: undefined when the element is never to run. */
  function element(tree: Tree, path: string, input: string | undefined, after: readonly string[] | undefined): Outcome {
    const index = number(path);
    const outcome = inner(tree, path, input, after);
    states[index] = outcome.state;
    const told = [...(after ?? []), ...outcome.called];
    tree.link.forEach((task, i) => {
      const at = number(`${path}.link[${i}]`);
      if (outcome.state === 'Succeeded') states[at] = call(task, outcome.value, told).state;
    });
    tree.linkError.forEach((task, i) => {
      const at = number(`${path}.linkError[${i}]`);
      if (outcome.state !== 'Failed') return;
      states[at] = call({ ...task, immutable: true }, undefined, told).state;
      calls.set(task.name, { ...calls.get(task.name)!, failed: outcome.failed[0]! });
    });
    return outcome;
  }

  function inner(tree: Tree, path: string, input: string | undefined, after: readonly string[] | undefined): Outcome {
    switch (tree.kind) {
      case 'task':
        return after === undefined ? skipped : call(tree, input, after);
      case 'group':
        return sideBySide(tree.members, `${path}.group`, input, after);
      case 'chain':
        return oneByOne(
          tree.members.map((member, i) => [member, `${path}.chain[${i}]`] as const),
          input,
          after,
        );
      case 'chord': {
        const header = sideBySide(tree.header, `${path}.chord.header`, input, after);
        const next = header.state === 'Succeeded' ? [...(after ?? []), ...header.called] : undefined;
        const body = element(tree.body, `${path}.chord.body`, header.value, next);
        return header.state === 'Succeeded' ? joined(header, body) : header;
      }
    }
  }

  function sideBySide(
    trees: readonly Tree[],
    path: string,
    input: string | undefined,
    after: readonly string[] | undefined,
  ) {
    const outcomes = trees.map((tree, i) => element(tree, `${path}[${i}]`, input, after));
    const isWhole = after !== undefined && outcomes.every(({ state }) => state === 'Succeeded');
    return {
      state: after === undefined ? 'Skipped' : isWhole ? 'Succeeded' : 'Failed',
      value: `[${outcomes.map(({ value }) => value).join(', ')}]`,
      called: outcomes.flatMap(({ called }) => called),
      failed: outcomes.flatMap(({ failed }) => failed),
    } as const;
  }

  function oneByOne(
    trees: readonly (readonly [Tree, string])[],
    input: string | undefined,
    after: readonly string[] | undefined,
  ): Outcome {
    let so: Outcome | undefined;
    for (const [tree, path] of trees) {
      const next = so === undefined ? after : so.state === 'Succeeded' ? [...(after ?? []), ...so.called] : undefined;
      const outcome = element(tree, path, so === undefined ? input : so.value, next);
      so = so === undefined || so.state === 'Succeeded' ? joined(so, outcome) : so;
    }
    return so ?? skipped;
  }

  const root = element(run.root, 'spec', undefined, []);
  const everything = [...calls.keys()];
  run.finally.forEach((task, i) => {
    const at = number(`spec.finally[${i}]`);
    states[at] = call({ ...task, immutable: true }, undefined, everything).state;
  });
  const value = root.state === 'Succeeded' ? root.value : undefined;
  return { calls, states, paths, value, failed: root.failed };
}

const skipped: Outcome = { state: 'Skipped', value: '', called: [], failed: [] };

function joined(before: Outcome | undefined, last: Outcome): Outcome {
  if (before === undefined) return last;
  return { ...last, called: [...before.called, ...last.called], failed: [...before.failed, ...last.failed] };
}
