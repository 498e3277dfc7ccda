import { describe, expect, test } from 'vitest';
import { rootIdOf } from '#core/workflow/message.ts';
import { summarise } from '#core/workflow/summary.ts';
import { settle } from '../support/hand-clock.ts';
import { RunWorld } from './run-world.ts';

/** Runs a spec to its end, tasks by name: `boom` fails, others give the sum of their numbers. */
async function ran(spec: object, world = new RunWorld()) {
  const driver = await world.begin(await world.engine(), spec);
  await world.workAll();
  const { evaluation, state } = driver.run.view;
  const [text] = await world.results.read([rootIdOf(driver.run.identity)]);
  const stored = text === undefined ? undefined : (JSON.parse(text) as { status: string; result: unknown });
  return { world, driver, state, root: evaluation.states[0], stage: evaluation.stage, stored, calls: world.called };
}

const boom = { task: 'boom' };

describe('a map', () => {
  test.each([
    { why: 'over a list', map: { task: 'add', over: [1, 2, 3] }, want: [1, 2, 3] },
    { why: 'puts its own arguments behind the item', map: { task: 'add', args: [10], over: [1, 2] }, want: [11, 12] },
    { why: 'over a range', map: { task: 'add', range: { start: 1, stop: 8, step: 3 } }, want: [1, 4, 7] },
    { why: 'over a bare count', map: { task: 'add', range: 3 }, want: [0, 1, 2] },
    { why: 'over nothing', map: { task: 'add', over: [] }, want: [] },
    { why: 'unpacked', map: { task: 'add', over: [[1, 2], [], [3]], unpack: true }, want: [3, 0, 3] },
    {
      why: 'of a chain for each',
      map: {
        each: {
          chain: [
            { task: 'add', args: [1] },
            { task: 'add', args: [100] },
          ],
        },
        over: [1, 2],
      },
      want: [102, 103],
    },
    {
      why: 'of a group for each',
      map: { each: { group: [{ task: 'add' }, { task: 'add', args: [1] }] }, over: [1, 2] },
      want: [
        [1, 2],
        [2, 3],
      ],
    },
  ])('$why', async ({ map, want }) => {
    const { root, stored } = await ran({ map });
    expect(root).toBe('Succeeded');
    expect(stored?.result).toEqual(want);
  });

  test('over the list that a task returned, then a task that gets the list', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), {
      chain: [{ task: 'list' }, { map: { task: 'add', args: [1] } }, { task: 'add' }],
    });
    await world.succeed(world.take(), [1, 2, 3]);
    expect(world.waiting).toHaveLength(3);
    await world.workAll();
    expect(driver.run.view.evaluation.states[0]).toBe('Succeeded');
    expect(world.called.at(-1)).toEqual(['add', [[2, 3, 4]]]);
  });

  test('over what is no list fails and says so', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), { chain: [{ task: 'x' }, { map: { task: 'add' } }] });
    await world.succeed(world.take(), 5);
    expect(driver.run.view.evaluation.states[0]).toBe('Failed');
    const [text] = await world.results.read([rootIdOf(driver.run.identity)]);
    expect(text).toContain('NotAList');
    expect(text).toContain('spec.chain[1]');
  });

  test('sends chunks to Celery’s built-in map and flattens what they return', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), { map: { task: 'add', range: 5, chunk: 2 } });
    expect(world.waiting).toHaveLength(3);
    const taken = [world.take(), world.take(), world.take()];
    expect(taken.map(({ task }) => task)).toEqual(['celery.map', 'celery.map', 'celery.map']);
    for (const [at, each] of taken.entries()) await world.succeed(each, at === 2 ? [4] : [at * 2, at * 2 + 1]);
    const [text] = await world.results.read([rootIdOf(driver.run.identity)]);
    expect((JSON.parse(text ?? '') as { result: unknown }).result).toEqual([0, 1, 2, 3, 4]);
  });

  test('calls the handlers of each member, and its own errback once', async () => {
    const { calls, root } = await ran({
      map: { each: { task: 'boom', linkError: [{ task: 'each' }] }, over: [1, 2] },
      linkError: [{ task: 'all' }],
    });
    expect(root).toBe('Failed');
    expect(calls.map(([task]) => task).sort()).toEqual(['all', 'boom', 'boom', 'each', 'each']);
  });
});

describe('onFailure: Continue', () => {
  test('leaves null in a list, calls the errback, and goes on', async () => {
    const group = [
      { task: 'add', args: [1] },
      { ...boom, onFailure: 'Continue', linkError: [{ task: 'told' }] },
    ];
    const { root, calls } = await ran({ chain: [{ group }, { task: 'add' }] });
    expect(root).toBe('Succeeded');
    expect(calls).toContainEqual(['add', [[1, null]]]);
    expect(calls.map(([task]) => task)).toContain('told');
  });

  test('of a composite makes its value null', async () => {
    const group = [boom, { task: 'add', args: [1] }];
    const { root, calls } = await ran({
      chain: [{ chain: [{ group }, { task: 'never' }], onFailure: 'Continue' }, { task: 'add' }],
    });
    expect(root).toBe('Succeeded');
    expect(calls.at(-1)).toEqual(['add', [null]]);
    expect(calls.map(([task]) => task)).not.toContain('never');
  });
});

describe('when and names', () => {
  test.each([
    { why: 'holds', first: 5, want: ['big', [5]] },
    { why: 'does not hold: the value that came in goes on', first: 1, want: ['add', [1]] },
  ])('a condition that $why', async ({ first, want }) => {
    const big = { task: 'big', when: 'result > 3' };
    const { calls, root } = await ran({ chain: [{ task: 'add', args: [first] }, big, { task: 'add' }] });
    expect(root).toBe('Succeeded');
    expect(calls[1]).toEqual(want);
  });

  test('what is passed over is null in a list', async () => {
    const group = [{ task: 'add', when: 'result > 3' }, { task: 'add' }];
    const { calls } = await ran({ chain: [{ task: 'add', args: [1] }, { group }, { task: 'add' }] });
    expect(calls.at(-1)).toEqual(['add', [[null, 1]]]);
  });

  test('a condition reads named results and states', async () => {
    const spec = {
      chain: [
        { task: 'add', args: [2], name: 'two' },
        { ...boom, name: 'b', onFailure: 'Continue' },
        { task: 'yes', when: "steps.two.result == 2 && steps.b.state == 'Failed'", immutable: true },
      ],
    };
    expect((await ran(spec)).calls.map(([task]) => task)).toEqual(['add', 'boom', 'yes']);
  });

  test('a condition that cannot be judged fails its step', async () => {
    const { root, stored } = await ran({
      chain: [
        { task: 'add', args: [1] },
        { task: 'x', when: 'result.a > 1' },
      ],
    });
    expect(root).toBe('Failed');
    expect(JSON.stringify(stored)).toContain('ConditionFailed');
  });

  test('named results stand in arguments, wherever they are', async () => {
    const { calls } = await ran({
      chain: [
        { task: 'add', args: [2], name: 'two' },
        { task: 'add', args: [3], immutable: true, name: 'three' },
        {
          task: 'add',
          args: [[{ $result: 'two' }], { $result: 'three' }],
          kwargs: { k: { $result: 'two' } },
          immutable: true,
        },
      ],
    });
    expect(calls.at(-1)).toEqual(['add', [[2], 3]]);
  });
});

describe('time', () => {
  test('a countdown is waited for by the operator, exactly, also across a restart', async () => {
    const world = new RunWorld();
    const first = await world.engine();
    await world.begin(first, { task: 'add', args: [1], countdown: '60s' });
    expect(world.waiting).toHaveLength(0);
    await world.clock.turn(30_000);
    first.close();
    await world.begin(await world.engine(), { task: 'add', args: [1], countdown: '60s' });
    await world.clock.turn(29_900);
    expect(world.waiting).toHaveLength(0);
    await world.clock.turn(100);
    expect(world.waiting).toHaveLength(1);
  });

  test('an eta in the past does not wait', async () => {
    const world = new RunWorld();
    await world.begin(await world.engine(), { task: 'add', eta: '2020-01-01T00:00:00Z' });
    expect(world.waiting).toHaveLength(1);
  });

  test('a failed task is tried again after its backoff, as often as it may', async () => {
    const world = new RunWorld();
    const retry = { maxRetries: 2, backoff: '10s', jitter: false };
    const driver = await world.begin(await world.engine(), { ...boom, retry });
    await world.fail(world.take());
    await world.clock.turn(9_900);
    expect(world.waiting).toHaveLength(0);
    await world.clock.turn(100);
    await world.fail(world.take());
    await world.clock.turn(20_000);
    await world.fail(world.take());
    await settle();
    expect(driver.run.view.evaluation).toMatchObject({ stage: 'Ended', states: ['Failed'] });
  });

  test('only after the exceptions that it is for', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), { ...boom, retry: { for: ['TimeoutError'] } });
    await world.fail(world.take(), 'ValueError');
    expect(driver.run.view.evaluation.states[0]).toBe('Failed');
  });

  test('a deadline ends the run, and finally is told', async () => {
    const world = new RunWorld();
    world.settings = { ...world.settings, deadlineMs: 60_000 };
    const spec = { chain: [{ task: 'add' }, { task: 'add' }], finally: [{ task: 'clean' }] };
    const driver = await world.begin(await world.engine(), spec);
    await world.clock.turn(60_000);
    await settle();
    expect(world.take()).toMatchObject({ task: 'clean', args: [{ state: 'Failed', reason: 'DeadlineExceeded' }] });
    expect(driver.run.view.evaluation.stage).toBe('Finalizing');
  });

  test('a waitLimit takes the message back and fails the step; one that was claimed goes on', async () => {
    const world = new RunWorld();
    const group = [
      { task: 'add', args: [1], waitLimit: '10s' },
      { task: 'add', args: [2], waitLimit: '10s' },
    ];
    const driver = await world.begin(await world.engine(), { group });
    const claimed = world.take();
    await world.clock.turn(10_000);
    await world.succeed(claimed, 1);
    expect(driver.run.view.evaluation.states).toEqual(['Failed', 'Succeeded', 'Failed']);
  });
});

describe('a cancel', () => {
  const spec = { chain: [{ group: [{ task: 'a' }, { task: 'b' }] }, { task: 'c' }], finally: [{ task: 'clean' }] };

  test('takes back what waits, asks what runs, and says what would not stop', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), spec);
    const running = world.take();
    driver.configure({ ...world.settings, cancel: true });
    await settle();
    expect(world.waiting).toHaveLength(0);
    expect([...world.revoked]).toEqual([running.id]);
    expect(driver.run.view.evaluation.stage).toBe('Running');
    await world.clock.turn(31_000);
    expect(world.take().task).toBe('clean');
    expect(driver.run.view.evaluation.states[0]).toBe('Cancelled');
  });

  test('of what stops in time ends at once', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), spec);
    const running = world.take();
    driver.configure({ ...world.settings, cancel: true });
    await settle();
    await world.revoke(running);
    expect(world.take().task).toBe('clean');
  });
});

describe('suspend and maxParallel', () => {
  test('nothing is sent while suspended, and all of it afterwards', async () => {
    const world = new RunWorld();
    world.settings = { ...world.settings, suspended: true };
    const driver = await world.begin(await world.engine(), { group: [{ task: 'a' }, { task: 'b' }] });
    expect(world.waiting).toHaveLength(0);
    driver.configure({ ...world.settings, suspended: false });
    await settle();
    expect(world.waiting).toHaveLength(2);
  });

  test('a cancel counts for more: what is there for the end is run', async () => {
    const world = new RunWorld();
    world.settings = { ...world.settings, suspended: true };
    const driver = await world.begin(await world.engine(), { task: 'a', finally: [{ task: 'clean' }] });
    driver.configure({ ...world.settings, cancel: true });
    await settle();
    expect(world.take().task).toBe('clean');
  });

  test('no more than maxParallel are in flight', async () => {
    const world = new RunWorld();
    world.settings = { ...world.settings, maxParallel: 2 };
    await world.begin(await world.engine(), { map: { task: 'add', range: 5 } });
    expect(world.waiting).toHaveLength(2);
    await world.succeed(world.take(), 1);
    expect(world.waiting).toHaveLength(2);
  });
});

describe('the window', () => {
  test('keeps few messages in the queue, the rest in the ledger, and refills as tasks end', async () => {
    const world = new RunWorld();
    world.slots = 2;
    const driver = await world.begin(await world.engine(), { map: { task: 'add', range: 100 } });
    expect(world.waiting.length).toBeLessThanOrEqual(2 * 2 + 16 + 2);
    const { uid, run48 } = driver.run.key;
    expect(world.store.held(uid, run48, 'q')).toBe(100 - world.waiting.length);
    await world.workAll();
    expect(driver.run.view.evaluation.states[0]).toBe('Succeeded');
    expect(world.store.held(uid, run48, 'q')).toBe(0);
  });

  test('lets a small run in beside a wide one, and the urgent before both', async () => {
    const world = new RunWorld();
    world.slots = 2;
    const engine = await world.engine();
    await world.begin(engine, { map: { task: 'wide', range: 300 } });
    await world.begin(engine, { task: 'small' }, 'bbbbbbbb-bbbb-4000-8000-000000000000');
    const urgent = {
      group: [
        { task: 'low', priority: 0 },
        { task: 'urgent', priority: 9 },
      ],
    };
    await world.begin(engine, urgent, 'cccccccc-bbbb-4000-8000-000000000000');
    for (let i = 0; i < 120; i += 1) await world.succeed(world.take(), 1);
    const calls = [...world.calls];
    expect(calls.indexOf('small')).toBeLessThan(40);
    expect(calls.indexOf('urgent')).toBeLessThan(40);
    expect(calls).not.toContain('low');
    await world.workAll(5_000);
    expect(world.calls.filter((task) => task === 'wide')).toHaveLength(300);
  });
});

describe('what nobody took in time', () => {
  test.each([
    { why: 'waitLimit', given: { waitLimit: '10s' }, want: 'WaitLimitExceeded' },
    { why: 'expires', given: { expires: '10s' }, want: 'Expired' },
  ])('counts from when it was due, also what the operator still holds back: $why', async ({ given, want }) => {
    const world = new RunWorld();
    world.slots = 2;
    const driver = await world.begin(await world.engine(), { map: { task: 'add', range: 100, ...given } });
    const held = 100 - world.waiting.length;
    expect(held).toBeGreaterThan(50);
    await world.clock.turn(10_000);
    const { failures, failed } = summarise(driver.run.identity, driver.run.view, new Map());
    expect([failed, failures[0]?.type, world.waiting.length]).toEqual([100, want, 0]);
  });

  const spec = { chain: [{ task: 'add', expires: '10s' }, { task: 'never' }] };

  test('failed as expired, when the operator took it back', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), spec);
    await world.clock.turn(10_000);
    expect(world.waiting).toHaveLength(0);
    expect(summarise(driver.run.identity, driver.run.view, new Map()).failures).toMatchObject([{ type: 'Expired' }]);
    expect(driver.run.view.evaluation.states[0]).toBe('Failed');
  });

  test.each([
    { why: 'waited too long', given: { waitLimit: '10s' }, want: 'WaitLimitExceeded' },
    { why: 'expired', given: { expires: '10s' }, want: 'Expired' },
  ])('a run of one task that $why has an outcome for whoever waits for it', async ({ given, want }) => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), { task: 'add', ...given });
    await world.clock.turn(10_000);
    const [text] = await world.results.read([rootIdOf(driver.run.identity)]);
    expect(JSON.parse(text ?? '{}')).toMatchObject({ status: 'FAILURE', result: { exc_type: want } });
  });

  test('and when a worker found it expired', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), spec);
    await world.revoke(world.take(), 'expired');
    expect(summarise(driver.run.identity, driver.run.view, new Map()).failures).toMatchObject([{ type: 'Expired' }]);
  });

  test('what somebody revoked is told as why the run ended', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), spec);
    await world.revoke(world.take(), 'revoked');
    const { failures, failed } = summarise(driver.run.identity, driver.run.view, new Map());
    expect([failures[0]?.type, failed, driver.run.view.evaluation.states[0]]).toEqual([
      'TaskRevokedError',
      0,
      'Cancelled',
    ]);
  });
});
