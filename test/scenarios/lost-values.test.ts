import { describe, expect, test } from 'vitest';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import type { RunEngine } from '#operator/runs/run-engine.ts';
import type { RunPorts } from '#operator/runs/run-ports.ts';
import { settle } from '../support/hand-clock.ts';
import { seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

const uid = 'aaaaaaaa-bbbb-4000-8000-000000000000';

async function begun(spec: object, world = new RunWorld(), changed: Partial<RunPorts> = {}) {
  const engine = await world.engine(changed);
  const driver = await world.begin(engine, spec);
  return { world, engine, driver };
}

async function configure(world: RunWorld, driver: RunDriver, settings: Partial<RunWorld['settings']>): Promise<void> {
  world.settings = { ...world.settings, ...settings };
  driver.configure(world.settings);
  await settle();
}

interface Left {
  readonly world: RunWorld;
  readonly engine: RunEngine;
}

/** Its operator stops, the store loses the results, and another operator takes the run up, which knows it from the store alone. */
async function takenOver({ world, engine }: Left, spec: object): Promise<Left & { readonly driver: RunDriver }> {
  engine.close();
  world.store.loseResults(uid);
  return begun(spec, world);
}

/** The store is asked for the whole run again: one write of this operator went astray. */
async function reread(driver: RunDriver): Promise<void> {
  driver.run.doubt();
  driver.schedule();
  await settle();
}

const ids = (world: RunWorld): readonly string[] => [...world.taken];

describe('results that vanish alone, while the head stands and the operator lives', () => {
  test('are put back by the operator that still has them, and nothing runs again', async () => {
    const { world, driver } = await begun({ chain: [{ group: [{ task: 'a' }, { task: 'b' }] }, { task: 'sum' }] });
    await world.succeed(world.take(), 1);
    world.store.loseResults(uid);
    await reread(driver);
    expect((await world.store.read(driver.run.key))?.kept.size).toBe(1);
    await world.succeed(world.take(), 2);
    expect(world.take()).toMatchObject({ task: 'sum', args: [[1, 2]] });
    expect(driver.losses).toEqual({ times: 1, sentAgain: 0, runAgain: 0 });
    expect(driver.run.identity.round).toBe(0);
  });

  test('are made again where a retry needs what came in, in the round that goes on', async () => {
    const spec = { chain: [{ task: 'a' }, { task: 'b' }, { task: 'c', retry: { backoff: '1s', jitter: false } }] };
    const before = await begun(spec);
    const { world } = before;
    await world.succeed(world.take(), 1);
    await world.succeed(world.take(), 2);
    const third = world.take();
    const { driver } = await takenOver(before, spec);
    // It has been called, and needs nothing: nothing runs again for it.
    expect([world.waiting.length, driver.losses.times]).toEqual([0, 0]);
    await world.fail(third);
    await world.clock.turn(1_000);
    const first = world.take();
    expect(first).toMatchObject({ task: 'a' });
    await world.succeed(first, 1);
    await world.succeed(world.take(), 2);
    expect(world.take()).toMatchObject({ task: 'c', args: [2] });
    expect(new Set(ids(world)).size).toBe(ids(world).length);
    expect(driver.losses).toEqual({ times: 1, sentAgain: 0, runAgain: 2 });
    expect(driver.run.identity.round).toBe(0);
  });

  test('are made again for a list, a condition and the final result of a further round', async () => {
    const spec = {
      chain: [
        { group: [{ task: 'a' }, { task: 'b' }], name: 'both' },
        { task: 'boom', when: 'size(steps.both.result) == 2' },
      ],
    };
    const before = await begun(spec);
    const { world } = before;
    await world.workAll();
    expect((await seen(world, before.driver)).root).toBe('Failed');
    const { driver } = await takenOver(before, spec);
    await configure(world, driver, { retryFailed: 1 });
    for (const result of [1, 2]) await world.succeed(world.take(), result);
    const last = world.take();
    expect(last).toMatchObject({ task: 'boom', args: [[1, 2]] });
    await world.succeed(last, 3);
    const { root, stored } = await seen(world, driver);
    expect([root, stored?.result]).toEqual(['Succeeded', 3]);
  });

  test('of what a map goes over, are made again in a further round, for its members may be others', async () => {
    const spec = { chain: [{ task: 'list' }, { map: { task: 'x', retry: { backoff: '1s', jitter: false } } }] };
    const before = await begun(spec);
    const { world } = before;
    await world.succeed(world.take(), [1, 2]);
    await world.succeed(world.take(), 10);
    const member = world.take();
    const { driver } = await takenOver(before, spec);
    await world.fail(member);
    await world.clock.turn(1_000);
    await world.succeed(world.take(), [7, 8]);
    const [first, second] = [world.take(), world.take()];
    expect([first.args, second.args]).toEqual([[7], [8]]);
    expect([first.id, second.id]).not.toContain(member.id);
    expect(driver.run.identity.round).toBe(1);
    await world.succeed(first, 70);
    await world.succeed(second, 80);
    expect((await seen(world, driver)).stored?.result).toEqual([70, 80]);
  });

  test('at the very end are made again for who waits for the final result', async () => {
    const spec = { group: [{ task: 'a' }, { task: 'b' }] };
    const world = new RunWorld();
    const { results } = world;
    const deaf = {
      glance: (asked: readonly string[]) => results.glance(asked),
      read: (asked: readonly string[]) => results.read(asked),
      hear: (listener: Parameters<typeof results.hear>[0]) => results.hear(listener),
      store: () => Promise.reject(new Error('away')),
    };
    const before = await begun(spec, world, { results: deaf });
    for (const result of [1, 2]) await world.succeed(world.take(), result);
    expect(await seen(world, before.driver)).toMatchObject({ stage: 'Ended', stored: undefined });
    expect(before.driver.trouble?.message).toContain('away');
    const { driver } = await takenOver(before, spec);
    for (const result of [1, 2]) await world.succeed(world.take(), result);
    expect(await seen(world, driver)).toMatchObject({ stage: 'Ended', stored: { result: [1, 2] } });
  });

  test('again and again end in a failure that says so', async () => {
    const spec = { chain: [{ task: 'a' }, { task: 'b', retry: { maxRetries: 9, backoff: '1s', jitter: false } }] };
    let left = await begun(spec);
    const { world } = left;
    for (let i = 0; i <= 3; i += 1) {
      await world.succeed(world.take(), 1);
      const second = world.take();
      expect(second.task).toBe('b');
      left = await takenOver(left, spec);
      await world.fail(second);
      await world.clock.turn(300_000);
    }
    const { root, status } = await seen(world, left.driver);
    expect([root, world.waiting.length]).toEqual(['Failed', 0]);
    expect(status.failures).toMatchObject([{ type: 'ResultLost', path: 'spec.chain[1]' }]);
  });

  test.each([
    { why: 'that', a: { task: 'a', retry: { onLost: 'Fail' } }, says: /spec\.chain\[0\].*onLost is Fail/ },
    {
      why: 'what it had made of others',
      a: { group: [{ task: 'a', retry: { onLost: 'Fail' } }] },
      says: /onLost is Fail/,
    },
  ])('of a task that must not run twice are not made again: $why is said', async ({ a, says }) => {
    const spec = { chain: [a, { task: 'b', retry: { backoff: '1s', jitter: false } }] };
    const before = await begun(spec);
    const { world } = before;
    await world.succeed(world.take(), 1);
    const second = world.take();
    const { driver } = await takenOver(before, spec);
    await world.fail(second);
    await world.clock.turn(60_000);
    const { root, stage, names, status } = await seen(world, driver);
    expect([root, stage, names]).toEqual(['Failed', 'Ended', ['a', 'b']]);
    expect(status.failures).toMatchObject([
      { type: 'ResultLost', path: 'spec.chain[1]', message: expect.stringMatching(says) as unknown },
    ]);
    await configure(world, driver, { retryFailed: 1 });
    await world.clock.turn(60_000);
    expect((await seen(world, driver)).names).toEqual(['a', 'b']);
  });

  test('that tasks which must not run twice went over are not made again, for they would be others', async () => {
    const retry = { onLost: 'Fail', backoff: '1s', jitter: false };
    const spec = { chain: [{ group: [{ task: 'one' }, { task: 'two' }] }, { map: { task: 'x', retry } }] };
    const before = await begun(spec);
    const { world } = before;
    for (const result of [1, 2, 10]) await world.succeed(world.take(), result);
    const member = world.take();
    const { driver } = await takenOver(before, spec);
    await world.fail(member);
    await world.clock.turn(60_000);
    const { root, names, status } = await seen(world, driver);
    expect([root, names, driver.run.identity.round]).toEqual(['Failed', ['one', 'two', 'x', 'x'], 0]);
    expect(status.failures).toMatchObject([{ type: 'ResultLost', task: 'x', item: 1 }]);
  });

  test('in a run that was cancelled are not made again, and what needed them fails', async () => {
    const spec = { chain: [{ task: 'a', link: [{ task: 'told', countdown: '60s' }] }, { task: 'b' }] };
    const before = await begun(spec);
    const { world } = before;
    await world.succeed(world.take(), 1);
    await configure(world, before.driver, { cancel: true });
    const { driver } = await takenOver(before, spec);
    await world.clock.turn(120_000);
    const { stage, names, status } = await seen(world, driver);
    expect([stage, names]).toEqual(['Ended', ['a']]);
    expect(status.handlers).toMatchObject([
      { task: 'told', state: 'Failed', message: expect.stringMatching(/ResultLost/) as unknown },
    ]);
  });
});

test('a run whose last write nobody answered is remembered by the engine that closes', async () => {
  const { world, engine } = await begun({ task: 'a' });
  world.store.advance = () => Promise.reject(new Error('away'));
  await world.succeed(world.take(), 1);
  expect([...engine.close().keys()]).toEqual([uid]);
});
