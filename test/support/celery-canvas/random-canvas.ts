import fc from 'fast-check';
import type { Canvas, CanvasTask, Json } from './canvas.ts';

/** Results that a careless join would take for a list of results, for nothing, or for another result. */
const values: readonly Json[] = [[], ['x', 'y'], null, 0, { a: [1] }];

const bare = fc.record({
  fails: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  immutable: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  args: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['own', 2]) }),
  gives: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  ),
});

const task: fc.Arbitrary<CanvasTask> = bare.map(({ fails, immutable, args, gives }) => ({
  task: fails ? 'fail' : 'succeed',
  ...(args.length === 0 ? {} : { args }),
  kwargs: { at: '', ...(fails || gives === undefined ? {} : { gives: { value: gives } }) },
  ...(immutable ? { immutable } : {}),
}));

const errback: fc.Arbitrary<CanvasTask> = fc
  .constantFrom([], ['own'])
  .map((args) => ({ task: 'told', ...(args.length === 0 ? {} : { args }), kwargs: { at: '' } }));

function seldom<T>(handler: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(handler, { minLength: 1, maxLength: 2 }) },
  );
}

/** With handlers, sometimes. */
function handled<T extends Canvas>(element: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.tuple(element, seldom(task), seldom(errback)).map(([own, link, linkError]) => ({
    ...own,
    ...(link.length === 0 ? {} : { link }),
    ...(linkError.length === 0 ? {} : { linkError }),
  }));
}

const element = fc.letrec<{ tree: Canvas }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: handled(task) },
    { weight: 3, arbitrary: handled(fc.record({ chain: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) })) },
    { weight: 2, arbitrary: handled(fc.record({ group: fc.array(tie('tree'), { maxLength: 3 }) })) },
    {
      weight: 2,
      arbitrary: handled(
        fc.record({ chord: fc.record({ header: fc.array(tie('tree'), { maxLength: 3 }), body: tie('tree') }) }),
      ),
    },
  ),
})).tree;

/** The same canvases for the same seed: of one to four levels, a single task seldom. */
export function randomCanvases(seed: number, count: number): readonly Canvas[] {
  const composite = element.filter((canvas) => !('task' in canvas));
  return fc.sample(composite, { seed, numRuns: count }).map(named);
}

/** Names every task, in the order in which they are written. */
function named(canvas: Canvas): Canvas {
  let count = 0;
  return JSON.parse(JSON.stringify(canvas), (key: string, value: Json) =>
    key === 'at' ? `t${count++}` : value,
  ) as Canvas;
}
