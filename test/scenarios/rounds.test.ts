import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { settle } from '../support/hand-clock.ts';
import { seen } from './ended-run.ts';
import { RunWorld, type Taken } from './run-world.ts';

async function begun(spec: object, settings: Partial<RunWorld['settings']> = {}) {
  const world = new RunWorld();
  world.settings = { ...world.settings, ...settings };
  const driver = await world.begin(await world.engine(), spec);
  return { world, driver };
}

async function configure(world: RunWorld, driver: RunDriver, settings: Partial<RunWorld['settings']>): Promise<void> {
  world.settings = { ...world.settings, ...settings };
  driver.configure(world.settings);
  await settle();
}

const clean = { finally: [{ task: 'clean' }] };

describe('a further round', () => {
  test('runs what failed and what it kept from running, and nothing else', async () => {
    const chain = [{ task: 'add', args: [1] }, { task: 'boom' }, { task: 'add' }];
    const { world, driver } = await begun({ chain, ...clean });
    await world.workAll();
    expect((await seen(world, driver)).root).toBe('Failed');
    world.called.length = 0;
    await configure(world, driver, { retryFailed: 1 });
    await world.succeed(world.take(), 7);
    await world.workAll();
    const { root, stage, names, status } = await seen(world, driver);
    expect([root, stage, status.round, names]).toEqual(['Succeeded', 'Ended', 1, ['boom', 'add', 'clean']]);
  });

  test('after a map that got no list: the step before it stands, and its outcome is stored under the id of the round', async () => {
    const { world, driver } = await begun({ chain: [{ task: 'x' }, { map: { task: 'add' } }] });
    await world.succeed(world.take(), 5);
    await configure(world, driver, { retryFailed: 1 });
    const { root, stage, stored, status } = await seen(world, driver);
    expect([root, stage, status.round]).toEqual(['Failed', 'Ended', 1]);
    expect(stored).toMatchObject({ status: 'FAILURE', result: { exc_type: 'NotAList' } });
  });

  test('waits while the cancel still stands, and begins once that is taken back', async () => {
    const { world, driver } = await begun({ chain: [{ task: 'a' }, { task: 'b' }], ...clean });
    await configure(world, driver, { cancel: true });
    await world.workAll();
    await configure(world, driver, { retryFailed: 1 });
    await world.workAll();
    const before = await seen(world, driver);
    expect([before.root, before.stage, before.status.round, before.names]).toEqual([
      'Cancelled',
      'Ended',
      0,
      ['clean'],
    ]);
    expect(before.stored).toMatchObject({ status: 'REVOKED' });
    await configure(world, driver, { cancel: false });
    await world.workAll();
    const { root, stage, status, names } = await seen(world, driver);
    expect([root, stage, status.round, names]).toEqual(['Succeeded', 'Ended', 1, ['clean', 'a', 'b', 'clean']]);
  });

  test('after a deadline, with a later one', async () => {
    const spec = { chain: [{ task: 'a' }, { task: 'b' }], ...clean };
    const { world, driver } = await begun(spec, { deadlineMs: 60_000 });
    await world.succeed(world.take(), 1);
    await world.clock.turn(60_000);
    await world.workAll();
    expect((await seen(world, driver)).names).toEqual(['a', 'clean']);
    await configure(world, driver, { retryFailed: 1, deadlineMs: 3_600_000 });
    await world.workAll();
    const { root, names } = await seen(world, driver);
    expect([root, names]).toEqual(['Succeeded', ['a', 'clean', 'b', 'clean']]);
  });

  test('after a round after a round', async () => {
    const { world, driver } = await begun({ chain: [{ task: 'a' }, { task: 'b' }], ...clean });
    await world.succeed(world.take(), 1);
    for (const round of [1, 2, 3]) {
      await world.fail(world.take());
      await world.workAll();
      await configure(world, driver, { retryFailed: round });
    }
    await world.workAll();
    const { root, names, status } = await seen(world, driver);
    expect([root, status.round]).toEqual(['Succeeded', 3]);
    expect(names).toEqual(['a', 'b', 'clean', 'b', 'clean', 'b', 'clean', 'b', 'clean']);
  });

  test('asked for while the run goes on follows it; three more ask for one', async () => {
    const { world, driver } = await begun({ group: [{ task: 'a' }, { task: 'b' }] });
    const [a, b] = [world.take(), world.take()];
    await world.succeed(a, 1);
    await configure(world, driver, { retryFailed: 3 });
    await world.fail(b);
    expect(driver.run.identity.round).toBe(1);
    await world.succeed(world.take(), 2);
    const { root, stored, stage } = await seen(world, driver);
    expect([root, stage, stored?.result]).toEqual(['Succeeded', 'Ended', [1, 2]]);
  });

  test('of a map runs the members that failed, and of each what failed in it', async () => {
    const each = { chain: [{ task: 'one' }, { task: 'two', linkError: [{ task: 'told' }] }] };
    const { world, driver } = await begun({ map: { each, over: [1, 2, 3] } });
    for (const taken of [world.take(), world.take(), world.take()]) await world.succeed(taken, taken.args[0]);
    const [first, second, third] = [world.take(), world.take(), world.take()];
    await world.succeed(first, 10);
    await world.fail(second);
    await world.succeed(third, 30);
    await world.workAll();
    await configure(world, driver, { retryFailed: 1 });
    expect(world.waiting).toHaveLength(1);
    const again = world.take();
    expect(again).toMatchObject({ task: 'two', args: [2] });
    await world.succeed(again, 20);
    expect((await seen(world, driver)).stored?.result).toEqual([10, 20, 30]);
  });

  test('does not run what was continued, nor its errback', async () => {
    const group = [{ task: 'boom', onFailure: 'Continue', linkError: [{ task: 'told' }] }, { task: 'bad' }];
    const { world, driver } = await begun({ group });
    await world.fail(world.take());
    await world.fail(world.take());
    await world.workAll();
    await configure(world, driver, { retryFailed: 1 });
    await world.workAll();
    const { names, stored } = await seen(world, driver);
    expect(names).toEqual(['boom', 'bad', 'told', 'bad']);
    expect(stored?.result).toEqual([null, 0]);
  });

  test('asks conditions again', async () => {
    const chain = [{ task: 'x' }, { group: [{ task: 'a', when: 'result > 1' }, { task: 'bad' }] }];
    const { world, driver } = await begun({ chain });
    await world.succeed(world.take(), 'no number');
    await world.fail(world.take());
    expect((await seen(world, driver)).status.failures).toMatchObject([
      { type: 'ConditionFailed' },
      { type: 'ValueError' },
    ]);
    await configure(world, driver, { retryFailed: 1 });
    await world.workAll();
    const { root, names } = await seen(world, driver);
    expect([root, names]).toEqual(['Failed', ['x', 'bad', 'bad']]);
  });

  test('nothing follows from a raise after success', async () => {
    const { world, driver } = await begun({ task: 'a', ...clean });
    await world.workAll();
    await configure(world, driver, { retryFailed: 1 });
    const { names, status } = await seen(world, driver);
    expect([names, status.round]).toEqual([['a', 'clean'], 0]);
  });
});

describe('what an earlier round still tells', () => {
  test.each(['fail', 'succeed'] as const)('changes nothing when it comes late: %s', async (how) => {
    const { world, driver } = await begun({ group: [{ task: 'a' }, { task: 'b' }] });
    const [a, b] = [world.take(), world.take()];
    await configure(world, driver, { cancel: true });
    await world.revoke(a);
    await world.clock.turn(31_000);
    await configure(world, driver, { cancel: false, retryFailed: 1 });
    expect(driver.run.identity.round).toBe(1);
    await (how === 'fail' ? world.fail(b) : world.succeed(b, 99));
    const [again, other] = [world.take(), world.take()];
    await world.succeed(again, 1);
    await world.succeed(other, 2);
    expect((await seen(world, driver)).stored?.result).toEqual([1, 2]);
  });

  test.each(['fail', 'succeed'] as const)('nor when it comes as the round begins: %s', async (how) => {
    const { world, driver } = await begun({ group: [{ task: 'a' }, { task: 'b' }] });
    const [a, b] = [world.take(), world.take()];
    await configure(world, driver, { cancel: true });
    await world.revoke(a);
    await world.clock.turn(31_000);
    world.settings = { ...world.settings, cancel: false, retryFailed: 1 };
    driver.configure(world.settings);
    await (how === 'fail' ? world.fail(b) : world.succeed(b, 99));
    expect(world.waiting).toHaveLength(2);
    await world.workAll();
    expect((await seen(world, driver)).stored?.result).toEqual([0, 0]);
  });
});

describe('ids of what ended in the tick in which a round began', () => {
  test('are of the round in which it ended, on either side', async () => {
    const { world, driver } = await begun({ group: [{ task: 'a' }, { task: 'b' }] });
    const [a, b] = [world.take(), world.take()];
    await world.succeed(a, 1);
    await world.fail(b);
    // The clock stands: all of this happens within one tick.
    await configure(world, driver, { retryFailed: 1 });
    const again = world.take();
    await world.succeed(again, 2);
    const { status } = await seen(world, driver);
    expect(status.steps?.map(({ taskId }) => taskId)).toEqual([a.id, again.id]);
  });
});

describe('a state of its own that a task told', () => {
  const retry = { maxRetries: 1, backoff: '1s', jitter: false };

  async function tell(world: RunWorld, { id }: Taken, status: string): Promise<void> {
    const text = encodeResultMeta({ id, status, resultText: '{"done": 3}' as JsonText, dateDone: null });
    await world.results.store([{ id, text }]);
    await settle();
  }

  test.each([
    { why: 'attempt', spec: { task: 'a', retry }, next: (world: RunWorld) => world.clock.turn(1_000) },
    {
      why: 'round',
      spec: { task: 'a' },
      next: (world: RunWorld, driver: RunDriver) => configure(world, driver, { retryFailed: 1 }),
    },
  ])('is not shown of its next $why', async ({ spec, next }) => {
    const { world, driver } = await begun(spec);
    const first = world.take();
    await tell(world, first, 'LOADING');
    expect((await seen(world, driver)).status.steps).toMatchObject([{ report: 'LOADING', progress: '3' }]);
    await world.fail(first);
    await next(world, driver);
    const second = world.take();
    await tell(world, second, 'STARTED');
    await tell(world, first, 'LOADING');
    expect((await seen(world, driver)).status.steps?.[0]).not.toHaveProperty('report');
    await tell(world, second, 'SAVING');
    expect((await seen(world, driver)).status.steps).toMatchObject([{ report: 'SAVING' }]);
  });
});
