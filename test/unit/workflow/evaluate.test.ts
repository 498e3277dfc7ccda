import { describe, expect, test } from 'vitest';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import type { Cancelled } from '#core/workflow/advance.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { withSlots, type SlotState } from '#core/workflow/slots.ts';

const t = (task: string, given: object = {}) => ({ task, ...given });

/** `spec` with some tasks' slots set, by name: what is due, how tasks stand, at which stage the run is. */
function seen(spec: WorkflowSpec, slots: Readonly<Record<string, SlotState>>, cancelled: Cancelled = '') {
  const plan = planOf(normalise(spec));
  const changes = plan.steps.flatMap((step) => {
    const state = step.kind === 'Task' ? slots[step.task] : undefined;
    const slot = { lost: 0, carried: false, attempt: 0, atTicks: 0 };
    return state === undefined ? [] : [[step.index, { ...slot, state }] as const];
  });
  const { states, due, stage } = evaluate(
    plan,
    { ...initialState(0), slots: withSlots(new Uint8Array(0), changes), cancelled },
    { nowTicks: 0, judge: () => 'Holds' },
  );
  const name = (index: number): string => {
    const step = plan.steps[index];
    return step?.kind === 'Task' ? step.task : (step?.kind ?? '?');
  };
  return { due: due.map(name), root: states[0], stage, states: new Map(states.map((state, i) => [name(i), state])) };
}

const chain = { chain: [t('a'), t('b'), t('c')] };
const group = { group: [t('a'), t('b')] };
const chord = { chord: { header: [t('a'), t('b')], body: t('c') } };
const handled = {
  chain: [t('a', { linkError: [t('ea')] }), t('b', { linkError: [t('eb')] })],
  link: [t('l')],
  linkError: [t('e')],
  finally: [t('f')],
};

interface Row {
  readonly why: string;
  readonly spec: WorkflowSpec;
  readonly slots: Readonly<Record<string, SlotState>>;
  readonly due: string[];
  readonly root: string;
  readonly stage?: string;
}

describe('what follows', () => {
  test.each<Row>([
    { why: 'the first of a chain is due at once', spec: chain, slots: {}, due: ['a'], root: 'Active' },
    { why: 'what is on its way is not due again', spec: chain, slots: { a: 'Published' }, due: [], root: 'Active' },
    { why: 'nor what retries', spec: chain, slots: { a: 'Retrying' }, due: [], root: 'Active' },
    {
      why: 'the next is due when the one before succeeded',
      spec: chain,
      slots: { a: 'Succeeded' },
      due: ['b'],
      root: 'Active',
    },
    { why: 'what was passed over counts as done', spec: chain, slots: { a: 'PassedOver' }, due: ['b'], root: 'Active' },
    {
      why: 'so does what failed and was told to go on',
      spec: chain,
      slots: { a: 'Continued' },
      due: ['b'],
      root: 'Active',
    },
    {
      why: 'a failure ends a chain',
      spec: chain,
      slots: { a: 'Succeeded', b: 'Failed' },
      due: [],
      root: 'Failed',
      stage: 'Ended',
    },
    {
      why: 'what was lost for good has failed',
      spec: chain,
      slots: { a: 'Lost' },
      due: [],
      root: 'Failed',
      stage: 'Ended',
    },
    {
      why: 'what was revoked is cancelled',
      spec: chain,
      slots: { a: 'Cancelled' },
      due: [],
      root: 'Cancelled',
      stage: 'Ended',
    },
    { why: 'members of a group are due together', spec: group, slots: {}, due: ['a', 'b'], root: 'Active' },
    {
      why: 'a group waits for its last member after a failure',
      spec: group,
      slots: { a: 'Failed', b: 'Running' },
      due: [],
      root: 'Active',
    },
    {
      why: 'and is failed then',
      spec: group,
      slots: { a: 'Failed', b: 'Succeeded' },
      due: [],
      root: 'Failed',
      stage: 'Ended',
    },
    {
      why: 'a failure weighs more than a cancel',
      spec: group,
      slots: { a: 'Cancelled', b: 'Failed' },
      due: [],
      root: 'Failed',
      stage: 'Ended',
    },
    {
      why: 'a body waits for its whole header',
      spec: chord,
      slots: { a: 'Succeeded', b: 'Running' },
      due: [],
      root: 'Active',
    },
    {
      why: 'and runs when the last has succeeded',
      spec: chord,
      slots: { a: 'Succeeded', b: 'Succeeded' },
      due: ['c'],
      root: 'Active',
    },
    {
      why: 'a body is skipped when a member of its header failed',
      spec: chord,
      slots: { a: 'Failed', b: 'Succeeded' },
      due: [],
      root: 'Failed',
      stage: 'Ended',
    },
    {
      why: 'a result is believed although nothing was sent',
      spec: chord,
      slots: { a: 'Succeeded', b: 'Succeeded', c: 'Succeeded' },
      due: [],
      root: 'Succeeded',
      stage: 'Ended',
    },
    {
      why: 'an empty group succeeds at once',
      spec: { group: [] },
      slots: {},
      due: [],
      root: 'Succeeded',
      stage: 'Ended',
    },
    {
      why: 'an empty header lets its body run',
      spec: { chord: { header: [], body: t('c') } },
      slots: {},
      due: ['c'],
      root: 'Active',
    },
    {
      why: 'an empty group within a chain waits its turn',
      spec: { chain: [t('a'), { group: [] }, t('b')] },
      slots: { a: 'Running' },
      due: [],
      root: 'Active',
    },
    {
      why: 'and then hands on the empty list',
      spec: { chain: [t('a'), { group: [] }, t('b')] },
      slots: { a: 'Succeeded' },
      due: ['b'],
      root: 'Active',
    },
    {
      why: 'an errback is due when its task failed, and the run’s at the end',
      spec: handled,
      slots: { a: 'Failed' },
      due: ['ea', 'e'],
      root: 'Failed',
      stage: 'Finalizing',
    },
    {
      why: 'no errback for what was skipped',
      spec: handled,
      slots: { a: 'Failed', ea: 'Succeeded', e: 'Succeeded' },
      due: ['f'],
      root: 'Failed',
      stage: 'Finalizing',
    },
    {
      why: 'a callback is due at success, no errback',
      spec: handled,
      slots: { a: 'Succeeded', b: 'Succeeded' },
      due: ['l'],
      root: 'Succeeded',
      stage: 'Finalizing',
    },
    {
      why: 'finally waits for the last handler',
      spec: handled,
      slots: { a: 'Succeeded', b: 'Succeeded', l: 'Running' },
      due: [],
      root: 'Succeeded',
      stage: 'Finalizing',
    },
    {
      why: 'a failed handler does not hold it up',
      spec: handled,
      slots: { a: 'Succeeded', b: 'Succeeded', l: 'Failed' },
      due: ['f'],
      root: 'Succeeded',
      stage: 'Finalizing',
    },
    {
      why: 'the end comes after finally, whatever it did',
      spec: handled,
      slots: { a: 'Succeeded', b: 'Succeeded', l: 'Lost', f: 'Failed' },
      due: [],
      root: 'Succeeded',
      stage: 'Ended',
    },
  ])('$why', ({ spec, slots, due, root, stage = 'Running' }) => {
    expect(seen(spec, slots)).toMatchObject({ due, root, stage });
  });

  test('what comes after a failure is skipped, with all that is in it', () => {
    const spec = { chain: [t('a'), { group: [t('b', { link: [t('bl')], linkError: [t('be')] }), { group: [] }] }] };
    const { states } = seen(spec, { a: 'Failed' });
    expect(['b', 'bl', 'be', 'Group'].map((name) => states.get(name))).toEqual(Array(4).fill('Skipped'));
  });

  test('before its turn everything waits', () => {
    const { states } = seen({ chain: [t('first'), chord, t('z')] }, { first: 'Published' });
    expect(states.get('Chord')).toBe('Waiting');
    expect(states.get('z')).toBe('Waiting');
  });
});

describe('after a cancel', () => {
  test.each<Row>([
    {
      why: 'nothing of the canvas begins; the errbacks and finally do',
      spec: handled,
      slots: {},
      due: ['ea', 'e'],
      root: 'Cancelled',
      stage: 'Finalizing',
    },
    { why: 'what runs is waited for', spec: handled, slots: { a: 'Running' }, due: [], root: 'Active' },
    {
      why: 'its success stands, and the next does not begin',
      spec: handled,
      slots: { a: 'Succeeded' },
      due: ['eb', 'e'],
      root: 'Cancelled',
      stage: 'Finalizing',
    },
    {
      why: 'a run that had ended has ended as it did',
      spec: handled,
      slots: { a: 'Succeeded', b: 'Succeeded' },
      due: ['l'],
      root: 'Succeeded',
      stage: 'Finalizing',
    },
    { why: 'a group keeps its failure', spec: group, slots: { a: 'Failed' }, due: [], root: 'Failed', stage: 'Ended' },
  ])('$why', ({ spec, slots, due, root, stage = 'Running' }) => {
    expect(seen(spec, slots, 'Cancelled')).toMatchObject({ due, root, stage });
  });
});
