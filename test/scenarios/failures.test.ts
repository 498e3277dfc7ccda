import { decodeTaskId } from '#core/base/task-id.ts';
import { describe, expect, test } from 'vitest';
import { ran, seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

const boom = { task: 'boom' };
const add = { task: 'add', args: [1] };
const goesOn = { onFailure: 'Continue' } as const;

describe('a failure that does not count leaves null', () => {
  test.each([
    {
      why: 'of a chord whose header failed, also where its body’s would not count either',
      element: { chord: { header: [boom], body: { task: 'never', ...goesOn } } },
    },
    { why: 'of a chord with an empty body', element: { chord: { header: [boom], body: { group: [] } } } },
    { why: 'of a condition that cannot be judged, on a task', element: { task: 'never', when: 'result.a.b > 1' } },
    { why: 'the same on a group', element: { group: [{ task: 'never' }], when: 'result.a.b > 1' } },
    { why: 'the same within it', element: { group: [{ chain: [], when: 'result.a.b > 1' }] } },
    { why: 'of a map that gets no list', element: { map: { task: 'never' } } },
    { why: 'the same within it', element: { chain: [{ map: { task: 'never' } }] } },
    { why: 'of a map of which one member failed', element: { map: { task: 'boom', over: [1] } } },
  ])('$why', async ({ element }) => {
    const told = { linkError: [{ task: 'told' }], link: [{ task: 'linked' }] };
    const { root, calls, names, status } = await ran({ chain: [add, { ...element, ...goesOn, ...told }, add] });
    expect(root).toBe('Succeeded');
    expect(calls.at(-1)).toEqual(['add', [null, 1]]);
    expect(names.filter((name) => name === 'told')).toHaveLength(1);
    expect(names).not.toContain('linked');
    expect(names).not.toContain('never');
    expect(status.failed).toBe(1);
    expect(status.failures).toHaveLength(1);
  });
});

describe('status says of a run', () => {
  test.each([
    {
      why: 'whose map got no list, that',
      spec: { chain: [add, { map: { task: 'add' } }] },
      says: 'spec.chain[1] failed with NotAList: ',
      failed: 1,
    },
    {
      why: 'whose group’s condition cannot be judged, that',
      spec: { chain: [add, { group: [add], when: 'result.x' }] },
      says: 'spec.chain[1] failed with ConditionFailed: ',
      failed: 1,
    },
    {
      why: 'the failure that counted, not one before it that did not',
      spec: { chain: [{ ...boom, ...goesOn }, boom] },
      says: 'spec.chain[1]: task boom failed with ValueError: no; 2 tasks failed in all',
      failed: 2,
    },
    {
      why: 'of a map, and its place once',
      spec: { chain: [add, { map: { task: 'add' } }] },
      says: 'spec.chain[1] failed with NotAList: what comes in is no list',
      failed: 1,
    },
    {
      why: 'that was passed over as such',
      spec: { chain: [add, { ...add, when: 'false' }, add] },
      says: '2 of 3 tasks succeeded, 1 passed over',
      failed: 0,
    },
    {
      why: 'that went on, how many failed',
      spec: { chain: [{ ...boom, ...goesOn }, add] },
      says: '1 of 2 tasks succeeded',
      failed: 1,
    },
    {
      why: 'a condition within a map, and of which item',
      spec: { map: { over: [[1], 2], each: { chain: [{ chain: [add], when: 'result[0] > 0' }] } } },
      says: 'spec.map.each.chain[0] for item 1 failed with ConditionFailed: ',
      failed: 1,
    },
  ])('$why', async ({ spec, says, failed }) => {
    const { message, status } = await ran(spec);
    expect(message).toContain(says);
    expect(status.failed).toBe(failed);
  });
});

describe('an errback', () => {
  test('of a chain is told what failed it, not what was continued before', async () => {
    const chain = [
      { task: 'boom', args: ['first'], ...goesOn },
      { task: 'boom', args: ['second'] },
    ];
    const { calls } = await ran({ chain: [{ chain, linkError: [{ task: 'told' }] }] });
    expect(calls.at(-1)).toMatchObject([
      'told',
      [{ task: 'boom', args: [null, 'second'] }, { exc_type: 'ValueError' }, null],
    ]);
  });

  test('is called for an item that cannot be unpacked', async () => {
    const world = new RunWorld();
    const each = { task: 'add', linkError: [{ task: 'each' }] };
    const spec = { chain: [{ task: 'list' }, { map: { each, unpack: true }, linkError: [{ task: 'all' }] }] };
    const driver = await world.begin(await world.engine(), spec);
    await world.succeed(world.take(), [[1], 5]);
    await world.workAll();
    const { root, calls, trouble } = await seen(world, driver);
    expect([root, trouble]).toEqual(['Failed', undefined]);
    const failure = { exc_type: 'NotAList' };
    expect(calls.slice(2)).toMatchObject([
      ['each', [{ task: 'add' }, failure, null]],
      ['all', [{ task: 'add' }, failure, null]],
    ]);
  });

  test('of a map that was cancelled before it knew its members', async () => {
    const world = new RunWorld();
    const spec = { chain: [{ task: 'list' }, { map: { task: 'never' }, linkError: [{ task: 'told' }] }] };
    const driver = await world.begin(await world.engine(), spec);
    const running = world.take();
    driver.configure({ ...world.settings, cancel: true });
    await world.succeed(running, [1, 2]);
    await world.workAll();
    const { root, stage, calls, trouble } = await seen(world, driver);
    expect([root, stage, trouble]).toEqual(['Cancelled', 'Ended', undefined]);
    expect(calls.at(-1)).toMatchObject(['told', [{ task: 'arpeggio.map' }, { exc_type: 'TaskRevokedError' }, null]]);
  });
});

describe('an element that failed itself', () => {
  test.each([
    { why: 'a map without a list', element: { map: { task: 'add' } } },
    { why: 'a group whose condition cannot be judged', element: { group: [{ task: 'add' }], when: 'result.x' } },
  ])('is told to finally by its own id: $why', async ({ element }) => {
    const { calls } = await ran({ chain: [{ task: 'add', args: [1] }, element], finally: [{ task: 'clean' }] });
    const [, [outcome]] = calls.at(-1) as [string, [{ failed: string[] }]];
    expect(outcome.failed.map((id) => decodeTaskId(id))).toMatchObject([{ step: 2, member: 0, round: 0 }]);
  });
});
