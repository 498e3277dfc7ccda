import { describe, expect, test } from 'vitest';
import { newRoundSlots } from '#core/workflow/new-round.ts';
import { forEachTaskSlot } from '#core/workflow/layout.ts';
import { slotStateAt } from '#core/workflow/slots.ts';
import { aRunView, type Became } from '../../support/run-view.ts';

const ok: Became = { state: 'Succeeded', kept: '1' };
const bad: Became = { state: 'Failed' };
const t = (task: string, given: object = {}) => ({ task, ...given });

/** Names of the tasks that wait again, each with its member where it is one of a map. */
function renewed(spec: object, became: Readonly<Record<string, readonly Became[]>>): readonly string[] {
  const view = aRunView(spec, became);
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
