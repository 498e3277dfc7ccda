import { describe, expect, test } from 'vitest';
import { engineFailure, encodeFailure } from '#core/workflow/failure.ts';
import { summarise } from '#core/workflow/summary.ts';
import { aRunView, type Became } from '../../support/run-view.ts';

const identity = { uid: 'aaaaaaaa-bbbb-4000-8000-000000000000', run48: 'aaaaaaaabbbb', round: 0, roundsAt: [] };
const ok: Became = { state: 'Succeeded', kept: '1' };
const failure = encodeFailure(engineFailure('WorkerLost', 'gone'));

describe('what a run shows', () => {
  test('counts tasks, those of a map with its members, and names what is due and held back', () => {
    const view = aRunView(
      { group: [{ task: 'a' }, { map: { task: 'm', range: 10 } }] },
      { a: [{ state: 'Running' }], m: [ok, { ...ok, member: 1 }, { state: 'Published', member: 2 }] },
    );
    const { done, total, running, held, failed, step } = summarise(identity, view, new Map());
    expect({ done, total, running, held, failed, step }).toEqual({
      done: 2,
      total: 11,
      running: 2,
      held: 7,
      failed: 0,
      step: 'a +1',
    });
  });

  test('counts what success did not need as done, once it has succeeded', () => {
    const chain = [
      { task: 'a', onFailure: 'Continue' },
      { task: 'b', when: 'false' },
      { task: 'c', name: 'last' },
    ];
    const states: Record<string, readonly Became[]> = {
      a: [{ state: 'Continued', kept: failure }],
      b: [{ state: 'PassedOver', kept: 'null' }],
    };
    const under = aRunView({ chain }, { ...states, c: [{ state: 'Running' }] });
    const shown = summarise(identity, under, new Map());
    expect([shown.done, shown.total, shown.step, shown.steps[2]?.name]).toEqual([2, 3, 'last', 'last']);
    const ended = summarise(identity, aRunView({ chain }, { ...states, c: [ok] }), new Map());
    expect([ended.done, ended.total, ended.succeeded, ended.failed, ended.passedOver]).toEqual([3, 3, 1, 1, 1]);
    const skipped = { group: [{ chain: [{ task: 'a' }, { task: 'b' }], onFailure: 'Continue' }] };
    const went = summarise(identity, aRunView(skipped, { a: [{ state: 'Failed', kept: failure }] }), new Map());
    expect([went.done, went.total, went.succeeded]).toEqual([2, 2, 0]);
  });

  test('one row for a map whatever its size, with how far it is', () => {
    const members = Array.from({ length: 40_000 }, (_, member) => ({ ...ok, member }));
    const view = aRunView({ map: { task: 'm', range: 100_000 } }, { m: members });
    const { steps, ...rest } = summarise(identity, view, new Map());
    expect(steps).toEqual([{ id: 0, path: 'spec', task: 'm', state: 'Running', progress: '40000/100000' }]);
    expect(JSON.stringify(rest).length).toBeLessThan(1_000);
  });

  test('tells which item of a map failed, of a chunk its first and how many it has', () => {
    const failed = { state: 'Failed', kept: failure } as const;
    const spec = { group: [{ map: { task: 'm', range: 9 } }, { map: { task: 'c', range: 9, chunk: 4 } }] };
    const view = aRunView(spec, { m: [{ ...failed, member: 7 }], c: [{ ...failed, member: 2 }] });
    expect(summarise(identity, view, new Map()).failures).toMatchObject([
      { path: 'spec.group[0].map', task: 'm', member: 7, item: 7, type: 'WorkerLost', message: 'gone' },
      { path: 'spec.group[1].map', task: 'c', member: 2, item: 8, items: 1 },
    ]);
    const whole = aRunView(spec, { c: [{ ...failed, member: 1 }] });
    expect(summarise(identity, whole, new Map()).failures).toMatchObject([{ item: 4, items: 4 }]);
  });

  test('what would not stop after a cancel', () => {
    const stubborn = encodeFailure(engineFailure('Unstoppable', 'goes on'));
    const view = aRunView(
      { group: [{ task: 'a' }, { task: 'b' }] },
      { a: [{ state: 'Cancelled', kept: stubborn }], b: [{ state: 'Cancelled', kept: failure }] },
      { cancelled: 'Cancelled' },
    );
    expect(summarise(identity, view, new Map()).notStopped).toMatchObject([{ step: 1, task: 'a' }]);
  });

  test('what a running task reports of itself, and no longer when it has ended', () => {
    const report = new Map([[0, { attempt: 0, state: 'PROGRESS', done: 30, total: 100 }]]);
    const running = aRunView({ task: 'a' }, { a: [{ state: 'Running' }] });
    expect(summarise(identity, running, report).steps).toMatchObject([{ report: 'PROGRESS', progress: '30/100' }]);
    const ended = summarise(identity, aRunView({ task: 'a' }, { a: [ok] }), report).steps[0];
    expect(ended).not.toHaveProperty('report');
  });

  test('the id of what ended in an earlier round is the one from then', () => {
    const view = aRunView(
      { chain: [{ task: 'a' }, { task: 'b' }] },
      { a: [{ ...ok, atTicks: 50 }], b: [{ state: 'Published', atTicks: 150 }] },
    );
    const second = { ...identity, round: 1, roundsAt: [100] };
    const [a, b] = summarise(second, view, new Map()).steps.map(({ taskId }) => taskId?.slice(14, 18));
    expect([a, b]).toEqual(['8000', '8001']);
  });
});
