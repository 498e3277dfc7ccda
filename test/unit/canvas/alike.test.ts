import { expect, test } from 'vitest';
import { alikeOf } from '#core/canvas/alike.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';

function alike(spec: object): readonly number[] {
  const parsed = parseWorkflowSpec(spec);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return alikeOf(planOf(normalise(parsed.value)));
}

test('tasks of one name go the same way, whatever they are called with', () => {
  expect(alike({ group: [{ task: 'a' }, { task: 'a', args: [1] }, { task: 'b' }, { task: 'a' }] })).toEqual([
    -1, 1, 1, 3, 1,
  ]);
});

test.each([
  ['queue', { queue: 'other' }],
  ['priority', { priority: 3 }],
  ['queue of retries', { retry: { escalateTo: 'other' } }],
])('another %s is another way', (_what, fields) => {
  expect(alike({ group: [{ task: 'a' }, { task: 'a', ...fields }] })).toEqual([-1, 1, 2]);
});

test('a handler goes another way than a member, for it runs after a cancel as well', () => {
  expect(alike({ task: 'a', link: [{ task: 'a' }, { task: 'a' }] })).toEqual([0, 1, 1]);
});
