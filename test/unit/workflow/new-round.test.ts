import { describe, expect, test } from 'vitest';
import { newRoundSlots, nextRoundAt } from '#core/workflow/new-round.ts';
import { forEachTaskSlot } from '#core/workflow/layout.ts';
import { slotStateAt } from '#core/workflow/slots.ts';
import { aRunView, type Became, type RunViewOptions } from '../../support/run-view.ts';

const ok: Became = { state: 'Succeeded', kept: '1' };
const bad: Became = { state: 'Failed' };
const t = (task: string, given: object = {}) => ({ task, ...given });

/** Names of the tasks that wait again, each with its member where it is one of a map. */
function renewed(
  spec: object,
  became: Readonly<Record<string, readonly Became[]>>,
  options: RunViewOptions = {},
): readonly string[] {
  const view = aRunView(spec, became, options);
  const slots = newRoundSlots(view);
  const names: string[] = [];
  forEachTaskSlot(view.plan, view.state.maps, (step, member, at) => {
    const before = slotStateAt(view.state.slots, at);
    if (before === 'Waiting' || slotStateAt(slots, at) !== 'Waiting') return;
    names.push(step.map === -1 ? step.task : `${step.task} ${member}`);
  });
  return names;
}

describe('in a further round waits again', () => {
  test.each([
    {
      why: 'what failed, and not what succeeded before it',
      spec: { chain: [t('a'), t('b'), t('c')] },
      became: { a: [ok], b: [bad] },
      want: ['b'],
    },
    {
      why: 'what was lost or cancelled',
      spec: { group: [t('a'), t('b'), t('c')] },
      became: { a: [{ state: 'Lost' }], b: [{ state: 'Cancelled' }], c: [ok] },
      want: ['a', 'b'],
    },
    {
      why: 'nothing whose failure did not count',
      spec: { group: [t('a', { onFailure: 'Continue' }), t('b')] },
      became: { a: [{ state: 'Continued' }], b: [bad] },
      want: ['b'],
    },
    {
      why: 'a handler of what is run again, and none of what stands',
      spec: { chain: [t('a', { link: [t('la')] }), t('b', { linkError: [t('eb')] })], linkError: [t('e')] },
      became: { a: [ok], la: [ok], b: [bad], eb: [ok], e: [ok] },
      want: ['b', 'eb', 'e'],
    },
    {
      why: 'finally, always',
      spec: { task: 'a', finally: [t('f')] },
      became: { a: [bad], f: [ok] },
      want: ['a', 'f'],
    },
    {
      why: 'of a map the members that failed',
      spec: { map: { task: 'a', range: 3 } },
      became: { a: [ok, { ...bad, member: 1 }, { ...ok, member: 2 }] },
      want: ['a 1'],
    },
  ])('$why', ({ spec, became, want }) => {
    expect(renewed(spec, became as Readonly<Record<string, readonly Became[]>>)).toEqual(want);
  });
});

describe('an element whose failure does not count, and of which a cancel ended some', () => {
  const spec = { chain: [{ group: [t('a'), { group: [t('b'), t('c')], onFailure: 'Continue' }] }, t('d')] };
  const became = { a: [ok], b: [bad], c: [{ state: 'Cancelled' as const, kept: '{}' }] };

  test('waits again after the cancel', () => {
    expect(renewed(spec, became, { cancelled: 'Cancelled' })).toEqual(['b', 'c']);
  });

  test('stands where nobody cancelled the run: what follows it went on', () => {
    expect(renewed(spec, { ...became, d: [bad] })).toEqual(['d']);
  });
});

test.each([
  { why: 'a tick after now', roundsAt: [], nowTicks: 7, want: 8 },
  { why: 'a tick after the latest, by a clock that was set back', roundsAt: [3, 9], nowTicks: 7, want: 10 },
])('a further round begins $why', ({ roundsAt, nowTicks, want }) => {
  expect(nextRoundAt({ roundsAt }, nowTicks)).toBe(want);
});
