import { describe, expect, test } from 'vitest';
import { parseJson } from '#core/base/json-text.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { Plan, PlanStep } from '#core/canvas/plan.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';

const plan = (spec: WorkflowSpec): Plan => planOf(normalise(spec));
const t = (task: string, given: object = {}) => ({ task, ...given });

/** `path: name or kind`, in the order of the numbers. */
function outline(spec: WorkflowSpec): string[] {
  return plan(spec).steps.map((step) => `${step.path} ${step.kind === 'Task' ? step.task : step.kind}`);
}

function inputs(spec: WorkflowSpec): string[] {
  return plan(spec).steps.map(inputText);
}

function inputText({ index, input }: PlanStep): string {
  if (input.from === 'Nothing') return `${index} from nothing`;
  if (input.from === 'Item') return `${index} from an item of ${input.map}`;
  return input.from === 'Step' ? `${index} from ${input.step}` : `${index} from the header of ${input.chord}`;
}

describe('normalise', () => {
  test('a bare task gets its defaults, which are the plan’s and not the stored spec’s', () => {
    expect(normalise({ task: 'add' })).toEqual({
      root: {
        kind: 'Task',
        task: 'add',
        args: [],
        kwargs: '{}',
        immutable: false,
        onFailure: 'Fail',
        link: [],
        linkError: [],
      },
      finally: [],
    });
  });

  test('arguments keep the text of their numbers and the order of their keys', () => {
    const spec = parseJson('{"task":"t","args":[1.0,[2e3],-0],"kwargs":{"z":1.50,"a":12345678901234567890}}');
    expect(normalise(spec as WorkflowSpec).root).toMatchObject({
      args: ['1.0', '[2e3]', '-0'],
      kwargs: '{"z":1.50,"a":12345678901234567890}',
    });
  });

  test('handlers and finally are tasks with defaults of their own', () => {
    const spec = { task: 'a', queue: 'gpu', link: [t('b', { immutable: true })], finally: [t('c', { args: [1] })] };
    expect(normalise(spec)).toMatchObject({
      root: { queue: 'gpu', link: [{ task: 'b', immutable: true, args: [] }], linkError: [] },
      finally: [{ task: 'c', args: ['1'], link: [] }],
    });
  });
});

describe('the numbers of a plan', () => {
  test('go element, members, link, linkError, and finally last', () => {
    const spec = {
      chain: [
        { group: [t('a', { link: [t('al')], linkError: [t('ae')] }), t('b')], link: [t('gl')] },
        { chord: { header: [t('h0'), t('h1')], body: t('body') }, linkError: [t('ce')] },
      ],
      link: [t('rl')],
      linkError: [t('re')],
      finally: [t('f0'), t('f1')],
    };
    expect(outline(spec)).toEqual([
      'spec Chain',
      'spec.chain[0] Group',
      'spec.chain[0].group[0] a',
      'spec.chain[0].group[0].link[0] al',
      'spec.chain[0].group[0].linkError[0] ae',
      'spec.chain[0].group[1] b',
      'spec.chain[0].link[0] gl',
      'spec.chain[1] Chord',
      'spec.chain[1].chord.header[0] h0',
      'spec.chain[1].chord.header[1] h1',
      'spec.chain[1].chord.body body',
      'spec.chain[1].linkError[0] ce',
      'spec.link[0] rl',
      'spec.linkError[0] re',
      'spec.finally[0] f0',
      'spec.finally[1] f1',
    ]);
    const { steps, finally: last } = plan(spec);
    expect(steps.map(({ index }) => index)).toEqual(steps.map((_, i) => i));
    expect(last).toEqual([14, 15]);
    expect(steps.map(({ role }) => role)).toEqual([
      ...['Member', 'Member', 'Member', 'Link', 'LinkError', 'Member', 'Link', 'Member', 'Member', 'Member', 'Member'],
      ...['LinkError', 'Link', 'LinkError', 'Finally', 'Finally'],
    ]);
    expect(steps.map(({ parent }) => parent)).toEqual([-1, 0, 1, 2, 2, 1, 1, 0, 7, 7, 7, 7, 0, 0, -1, -1]);
    expect(steps[1]).toMatchObject({ members: [2, 5], links: [6], linkErrors: [] });
    expect(steps[7]).toMatchObject({ header: [8, 9], body: 10, linkErrors: [11] });
  });
});

describe('what comes in', () => {
  test.each<{ why: string; spec: WorkflowSpec; want: string[] }>([
    { why: 'nothing into the root', spec: t('a'), want: ['0 from nothing'] },
    {
      why: 'the result of the one before',
      spec: { chain: [t('a'), t('b')] },
      want: ['0 from nothing', '1 from nothing', '2 from 1'],
    },
    {
      why: 'the same into all members of a group',
      spec: { chain: [t('a'), { group: [t('b'), { chain: [t('c'), t('d')] }] }] },
      want: ['0 from nothing', '1 from nothing', '2 from 1', '3 from 1', '4 from 1', '5 from 1', '6 from 5'],
    },
    {
      why: 'the list of its header into a body, what comes in into the header',
      spec: { chain: [t('a'), { chord: { header: [t('h')], body: { chain: [t('b'), t('c')] } } }] },
      want: [
        ...['0 from nothing', '1 from nothing', '2 from 1', '3 from 1', '4 from the header of 2'],
        ...['5 from the header of 2', '6 from 5'],
      ],
    },
    {
      why: 'the value of what it follows into a callback, nothing into an errback',
      spec: { group: [t('a')], link: [t('l')], linkError: [t('e')], finally: [t('f')] },
      want: ['0 from nothing', '1 from nothing', '2 from 0', '3 from nothing', '4 from nothing'],
    },
  ])('$why', ({ spec, want }) => expect(inputs(spec)).toEqual(want));
});

describe('a value is kept', () => {
  const si = { immutable: true };
  test.each<{ why: string; spec: WorkflowSpec; want: string[] }>([
    { why: 'as the final result', spec: t('a'), want: ['a'] },
    { why: 'for a successor that takes it', spec: { chain: [t('a'), t('b'), t('c')] }, want: ['a', 'b', 'c'] },
    { why: 'not for an immutable one', spec: { chain: [t('a'), t('b', si), t('c')] }, want: ['b', 'c'] },
    {
      why: 'for a group of which one member takes it',
      spec: { chain: [t('a'), { group: [t('b', si), t('c')] }, t('d', si)] },
      want: ['a', 'd'],
    },
    {
      why: 'for a nested chain whose first task takes it',
      spec: { chain: [t('a'), { chain: [t('b'), t('c', si)] }] },
      want: ['a', 'c'],
    },
    {
      why: 'for a chord whose header takes it; the header’s own for its body',
      spec: { chain: [t('a'), { chord: { header: [t('h')], body: t('b') } }] },
      want: ['a', 'h', 'b'],
    },
    {
      why: 'not in a header whose body is immutable',
      spec: { chord: { header: [t('h')], body: t('b', si) } },
      want: ['b'],
    },
    {
      why: 'for a callback, and of the members of what has one',
      spec: { chain: [{ group: [t('a'), { chain: [t('x'), t('b')] }], link: [t('l')] }, t('z', si)] },
      want: ['a', 'x', 'b', 'z'],
    },
    {
      why: 'not for an immutable callback, nor for errbacks; callbacks’ own are nobody’s',
      spec: { chain: [t('a', { link: [t('l', si)], linkError: [t('e')] }), t('z', si)], finally: [t('f')] },
      want: ['z'],
    },
  ])('$why', ({ spec, want }) => {
    const kept = plan(spec).steps.flatMap((step) => (step.kind === 'Task' && step.valueWanted ? [step.task] : []));
    expect(kept).toEqual(want);
  });
});
