import { describe, expect, test } from 'vitest';
import { ran, seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

const named = (name: string) => ({ $result: name });

describe('a name', () => {
  test('within the each of a map is that of the same item; of the map itself, the list', async () => {
    const each = {
      chain: [
        { task: 'add', name: 'mine' },
        { task: 'add', args: [10] },
        {
          task: 'add',
          immutable: true,
          args: [named('mine'), 100],
          link: [{ task: 'linked', immutable: true, args: [named('mine')] }],
          when: 'steps.mine.result > 1',
        },
      ],
    };
    const { stored, calls } = await ran({
      chain: [
        { map: { each, over: [1, 2, 3] }, name: 'all' },
        { task: 'add', immutable: true, args: [named('all')] },
      ],
    });
    expect(calls.filter(([task]) => task === 'linked').map(([, args]) => args)).toEqual([[2], [3]]);
    expect(stored?.result).toBe(11 + 102 + 103);
  });

  test.each([
    {
      why: 'failed and was continued is null',
      element: { task: 'boom', onFailure: 'Continue', name: 'it' },
      when: 'steps.it.result == null',
    },
    {
      why: 'is a group that was is null',
      element: { group: [{ task: 'boom' }], onFailure: 'Continue', name: 'it' },
      when: 'steps.it.result == null',
    },
    {
      why: 'failed within what was continued is missing',
      element: { chain: [{ task: 'boom', name: 'it' }], onFailure: 'Continue' },
      when: '!has(steps.it.result)',
    },
  ])('of what $why in conditions, where its state is Failed, and null in arguments', async ({ element, when }) => {
    const told = { task: 'told', when: `steps.it.state == 'Failed' && ${when}` };
    const { calls } = await ran({
      chain: [{ task: 'add' }, element, { ...told, immutable: true, args: [[named('it')]] }],
    });
    expect(calls.at(-1)).toEqual(['told', [[null]]]);
  });

  test('of what was passed over is what came in; of what was skipped, null for handlers', async () => {
    const { calls } = await ran({
      chain: [
        { task: 'add', args: [5] },
        { task: 'never', when: 'false', name: 'passed' },
        { task: 'boom' },
        { task: 'never', name: 'skipped' },
      ],
      linkError: [{ task: 'told', immutable: true, args: [named('passed'), named('skipped')] }],
      finally: [{ task: 'clean', immutable: true, args: [named('skipped'), named('passed')] }],
    });
    expect(calls.slice(-2)).toEqual([
      ['told', [5, null]],
      ['clean', [null, 5]],
    ]);
  });
});

describe('a countdown counts from when the step is due', () => {
  test.each([
    {
      why: 'on the body of a chord',
      spec: { chord: { header: [{ task: 'a' }], body: { task: 'b', countdown: '60s' } } },
    },
    {
      why: 'within each of a map',
      spec: { map: { over: [1], each: { chain: [{ task: 'a' }, { task: 'b', countdown: '60s' }] } } },
    },
    { why: 'on a callback', spec: { task: 'a', link: [{ task: 'b', countdown: '60s' }] } },
    { why: 'on finally', spec: { task: 'a', finally: [{ task: 'b', countdown: '60s' }] } },
    {
      why: 'on a callback within each',
      spec: { map: { over: [1], each: { task: 'a', link: [{ task: 'b', countdown: '60s' }] } } },
    },
  ])('$why, to 100 ms, and over a restart', async ({ spec }) => {
    const world = new RunWorld();
    const first = await world.engine();
    await world.begin(first, spec);
    await world.clock.turn(7_000);
    await world.succeed(world.take(), 1);
    await world.clock.turn(30_000);
    first.close();
    const driver = await world.begin(await world.engine(), spec);
    await world.clock.turn(29_900);
    expect(world.waiting).toEqual([]);
    await world.clock.turn(100);
    expect(world.waiting).toHaveLength(1);
    await world.workAll();
    expect((await seen(world, driver)).stage).toBe('Ended');
  });

  test('and for a bare map, of every member', async () => {
    const world = new RunWorld();
    await world.begin(await world.engine(), { map: { task: 'a', range: 2_500, countdown: '60s' } });
    await world.clock.turn(59_900);
    expect(world.waiting).toEqual([]);
    await world.clock.turn(5_000);
    expect(world.waiting.length).toBeGreaterThan(1_900);
  });
});
