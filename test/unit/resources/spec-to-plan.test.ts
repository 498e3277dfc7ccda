import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';

const names = ['a', 'b', 'c'];
const reference = fc.constantFrom(...names).map((name) => ({ args: [{ $result: name }] }));
const condition = fc.constantFrom(...names).map((name) => ({ when: `steps.${name}.state == "Failed"` }));
const handler = fc.oneof(fc.constant({}), reference).map((fields) => ({ task: 'h', ...fields }));
const own = fc.record(
  {
    name: fc.constantFrom(...names),
    link: fc.array(handler, { maxLength: 1 }),
    linkError: fc.array(handler, { maxLength: 1 }),
  },
  { requiredKeys: [] },
);
const maybe = <T extends object>(arbitrary: fc.Arbitrary<T>) => fc.oneof(fc.constant({}), arbitrary);

const { element } = fc.letrec<{ element: object }>((tie) => ({
  element: fc
    .tuple(
      fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        maybe(reference).map((fields) => ({ task: 't', ...fields })),
        fc.array(tie('element'), { maxLength: 3 }).map((chain) => ({ chain })),
        fc.array(tie('element'), { maxLength: 3 }).map((group) => ({ group })),
        fc
          .tuple(fc.array(tie('element'), { maxLength: 2 }), tie('element'))
          .map(([header, body]) => ({ chord: { header, body } })),
        tie('element').map((each) => ({ map: { range: 2, each } })),
        maybe(reference).map((fields) => ({ map: { range: 2, task: 't', ...fields } })),
      ),
      own,
      maybe(condition),
    )
    .map(([kind, fields, when]) => ({ ...kind, ...fields, ...when })),
}));
const spec = fc
  .tuple(fc.array(element, { minLength: 1, maxLength: 4 }), fc.array(handler, { maxLength: 1 }))
  .map(([chain, last]) => ({ chain, finally: last }));

describe('what parseWorkflowSpec takes', () => {
  test('compiles to a plan, and what a step speaks of stands before it', () => {
    let taken = 0;
    fc.assert(
      fc.property(spec, (value) => {
        const parsed = parseWorkflowSpec(value);
        if (!parsed.ok) return;
        const { steps } = planOf(normalise(parsed.value));
        for (const step of steps) {
          const spoken = [
            ...(step.when?.steps.values() ?? []),
            ...(step.kind === 'Task' ? step.args.flatMap(stepsIn) : []),
          ];
          for (const of of spoken) expect(of).toBeLessThan(step.index);
          taken += spoken.length;
        }
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(0); // or the property spoke of nothing
  });
});

function stepsIn(argument: string | readonly (string | { readonly step: number })[]): number[] {
  return typeof argument === 'string' ? [] : argument.flatMap((part) => (typeof part === 'string' ? [] : [part.step]));
}
