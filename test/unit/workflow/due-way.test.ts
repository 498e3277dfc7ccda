import { expect, test } from 'vitest';
import { alikeOf } from '#core/canvas/alike.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { stepAt } from '#core/canvas/plan.ts';
import { dueWay, stepOfWay } from '#core/workflow/due-way.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { withSlots } from '#core/workflow/slots.ts';

const escalated = { task: 'a', retry: { escalateTo: 'large' } };
const plan = planOf(normalise({ group: [escalated, { task: 'a', retry: {} }, escalated] }));
const alike = alikeOf(plan);

/** The way of the due task of a step whose attempt is the given. */
function wayOf(index: number, attempt: number, lost: number): number {
  const slot = { state: 'Scheduled', carried: false, atTicks: 0, attempt, lost } as const;
  return dueWay(alike, stepAt(plan, index), withSlots(new Uint8Array(0), [[index, slot]]), index);
}

test.each([
  {
    why: 'a first attempt goes the way of its first step',
    index: 3,
    attempt: 0,
    lost: 0,
    is: { step: 1, escalated: false },
  },
  { why: 'one after a failure goes another', index: 3, attempt: 1, lost: 0, is: { step: 1, escalated: true } },
  { why: 'one after a loss does not', index: 3, attempt: 2, lost: 2, is: { step: 1, escalated: false } },
  { why: 'nor one that has no other queue', index: 2, attempt: 1, lost: 0, is: { step: 2, escalated: false } },
  { why: 'one of 300 is told apart', index: 1, attempt: 300, lost: 3, is: { step: 1, escalated: true } },
])('$why', ({ index, attempt, lost, is }) => {
  expect(stepOfWay(alike, wayOf(index, attempt, lost))).toEqual(is);
});

const members = [
  { state: 'Waiting', attempt: 0, lost: 0 },
  { state: 'Waiting', attempt: 1, lost: 1 },
  { state: 'Waiting', attempt: 2, lost: 1 },
  { state: 'Scheduled', attempt: 1, lost: 0 },
  { state: 'Scheduled', attempt: 0, lost: 0 },
] as const;

test.each([
  { of: 'a map', spec: { map: { ...escalated, range: 5 } }, base: 2 },
  { of: 'a group', spec: { group: members.map(() => escalated) }, base: 1 },
])('members of $of are counted by the queue that their next attempt goes to', ({ spec, base }) => {
  const ofCase = planOf(normalise(spec));
  const changes = members.map((each, at) => [base + at, { ...each, carried: false, atTicks: 0 }] as const);
  const maps = new Map('map' in spec ? [[0, { base, count: members.length, width: 1 }]] : []);
  const state = { ...initialState(0), slots: withSlots(new Uint8Array(0), changes), maps };
  const { due, dueCounts } = evaluate(ofCase, state, { nowTicks: 1, judge: () => 'Holds' });
  expect(due).toEqual(members.map((_, at) => base + at));
  expect([...dueCounts].map(([way, count]) => ({ count, ...stepOfWay(alikeOf(ofCase), way) }))).toEqual([
    { step: 1, escalated: false, count: 3 },
    { step: 1, escalated: true, count: 2 },
  ]);
});
