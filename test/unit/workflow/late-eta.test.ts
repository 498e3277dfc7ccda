import { describe, expect, test } from 'vitest';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import { lateEta } from '#core/workflow/late-eta.ts';

const createdAtMs = Date.parse('2027-01-01T00:00:00Z');
const planned = (eta: string) => planOf(normalise({ chain: [{ task: 'a' }, { task: 'b', eta }] }));

describe('an eta', () => {
  test.each([
    { why: 'may be past', eta: '2020-01-01T00:00:00Z' },
    { why: 'may be as late as a run may last', eta: '2028-05-12T00:00:00Z' },
  ])('$why', ({ eta }) => {
    expect(lateEta(planned(eta), createdAtMs)).toBeUndefined();
  });

  test('that is later than a run may last is told with its place and the way out', () => {
    expect(lateEta(planned('2099-01-31T09:00:00+01:00'), createdAtMs)).toBe(
      'spec.chain[1].eta: 2099-01-31T08:00:00Z is more than 497 days after the Workflow was created, which is as long as a run may last; create it later',
    );
  });
});
