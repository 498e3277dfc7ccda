import { describe, expect, test } from 'vitest';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { settle } from '../support/hand-clock.ts';
import { seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

type Settings = RunWorld['settings'];

async function begun(spec: object, settings: Partial<Settings> = {}, world = new RunWorld()) {
  world.settings = { ...world.settings, ...settings };
  const driver = await world.begin(await world.engine(), spec);
  return { world, driver };
}

async function configure(world: RunWorld, driver: RunDriver, settings: Partial<Settings>): Promise<void> {
  world.settings = { ...world.settings, ...settings };
  driver.configure(world.settings);
  await settle();
}

const told = { linkError: [{ task: 'told' }], finally: [{ task: 'clean' }] };

/** Where a run is when something befalls it. */
const stages: readonly {
  readonly stage: string;
  readonly spec: object;
  readonly until: (world: RunWorld) => Promise<void>;
  readonly settings?: Partial<Settings>;
  readonly slots?: number;
  readonly runs?: string[];
}[] = [
  { stage: 'waiting in the queue', spec: { task: 'a', ...told }, until: () => Promise.resolve() },
  {
    stage: 'scheduled by a countdown',
    spec: { chain: [{ task: 'a', countdown: '60s' }], ...told },
    until: () => Promise.resolve(),
  },
  {
    stage: 'scheduled for a retry',
    spec: { task: 'a', retry: { backoff: '60s', jitter: false }, ...told },
    until: (world) => world.fail(world.take()),
    runs: ['a'],
  },
  {
    stage: 'held back by the window',
    spec: { map: { task: 'a', range: 100 }, ...told },
    until: () => Promise.resolve(),
    slots: 1,
  },
  {
    stage: 'held back by maxParallel',
    spec: { group: [{ task: 'a' }, { task: 'a' }], ...told },
    until: () => Promise.resolve(),
    settings: { maxParallel: 1 },
  },
  {
    stage: 'held back by suspend',
    spec: { chain: [{ task: 'a' }], ...told },
    until: () => Promise.resolve(),
    settings: { suspended: true },
  },
  {
    stage: 'in a map, before it knows its members',
    spec: { chain: [{ task: 'list' }, { map: { task: 'a' } }], ...told },
    until: () => Promise.resolve(),
  },
  {
    stage: 'in a map, some of it done',
    spec: { map: { each: { chain: [{ task: 'a' }, { task: 'b' }] }, range: 3 }, ...told },
    until: async (world) => {
      await world.succeed(world.take(), 1);
      await world.succeed(world.take(), 1);
    },
    runs: ['a', 'a'],
  },
  {
    stage: 'in the body of a chord',
    spec: { chord: { header: [{ task: 'a' }, { group: [{ task: 'a' }] }], body: { task: 'b' } }, ...told },
    until: async (world) => {
      await world.succeed(world.take(), 1);
      await world.succeed(world.take(), 1);
    },
    runs: ['a', 'a'],
  },
  {
    stage: 'with a part that failed and was continued',
    spec: { chain: [{ task: 'a', onFailure: 'Continue' }, { task: 'b' }], ...told },
    until: (world) => world.fail(world.take()),
    runs: ['a'],
  },
];

describe.each([
  { what: 'a cancel', settings: { cancel: true }, reason: 'Cancelled', state: 'Cancelled' },
  { what: 'a deadline', settings: { deadlineMs: 1 }, reason: 'DeadlineExceeded', state: 'Failed' },
])('$what ends a run', ({ settings, reason, state }) => {
  test.each(stages)('that is $stage', async ({ spec, until, settings: given = {}, slots, runs = [] }) => {
    const world = new RunWorld();
    world.slots = slots ?? 1_000;
    const { driver } = await begun(spec, given, world);
    await until(world);
    await configure(world, driver, { ...settings, suspended: false });
    await world.clock.turn(20);
    await world.workAll();
    const { stage, names, message, status, trouble } = await seen(world, driver);
    expect([stage, status.state, trouble]).toEqual(['Ended', reason, undefined]);
    expect(names).toEqual([...runs, 'told', 'clean']);
    expect(world.called.at(-1)).toMatchObject(['clean', [{ state, reason }]]);
    expect(message).toBeDefined();
    const { uid, run48 } = driver.run.key;
    expect(world.store.held(uid, run48, 'q')).toBe(0);
    expect(world.waiting).toEqual([]);
    await world.clock.turn(3_600_000);
    expect(world.called).toHaveLength(names.length);
  });

  test('not any more while its handlers run', async () => {
    const { world, driver } = await begun({ task: 'a', link: [{ task: 'linked' }], finally: [{ task: 'clean' }] });
    await world.succeed(world.take(), 1);
    await configure(world, driver, settings);
    await world.clock.turn(20);
    await world.workAll();
    const { names, root } = await seen(world, driver);
    expect([root, names]).toEqual(['Succeeded', ['a', 'linked', 'clean']]);
    expect(world.called.at(-1)).toMatchObject(['clean', [{ state: 'Succeeded' }]]);
  });
});

describe('an outcome that is fixed stands', () => {
  test('whatever a lost attempt answers after the cancel', async () => {
    const { world, driver } = await begun({ task: 'a', retry: { backoff: '60s', jitter: false }, ...told });
    const first = world.take();
    await world.fail(first);
    await configure(world, driver, { cancel: true });
    await world.succeed(first, 1);
    await world.workAll();
    const { root, names } = await seen(world, driver);
    expect([root, names]).toEqual(['Cancelled', ['a', 'told', 'clean']]);
  });

  test('though what was scheduled waits longer than it may', async () => {
    const retry = { backoff: '20s', jitter: false };
    const group = [{ task: 'a', retry, waitLimit: '5s' }, { task: 'b' }];
    const { world, driver } = await begun({ group, ...told });
    await world.fail(world.take());
    world.take();
    await configure(world, driver, { cancel: true });
    await world.clock.turn(31_000);
    await world.workAll();
    const { status } = await seen(world, driver);
    expect(status.steps?.map(({ state }) => state)).toEqual(['Cancelled', 'Cancelled']);
    expect(status.notStopped).toMatchObject([{ task: 'b' }]);
  });
});

describe('suspended, nothing is sent', () => {
  test.each(stages.filter(({ stage }) => !stage.includes('held back') && !stage.includes('waiting in')))(
    'by a run that is $stage; resumed, all of it is',
    async ({ spec, until }) => {
      const { world, driver } = await begun(spec);
      await until(world);
      await configure(world, driver, { suspended: true });
      const before = world.waiting.length;
      await world.clock.turn(120_000);
      expect(world.waiting).toHaveLength(before);
      await configure(world, driver, { suspended: false });
      while (world.waiting.length > 0) {
        const taken = world.take();
        await world.succeed(taken, taken.task === 'list' ? [1, 2] : 1);
      }
      expect((await seen(world, driver)).root).toBe('Succeeded');
    },
  );

  test('not even handlers; and the run waits with its end', async () => {
    const { world, driver } = await begun({ task: 'a', ...told });
    const running = world.take();
    await configure(world, driver, { suspended: true });
    await world.fail(running);
    expect(world.waiting).toEqual([]);
    await world.clock.turn(3_600_000);
    await configure(world, driver, { suspended: false });
    await world.workAll();
    expect((await seen(world, driver)).names).toEqual(['a', 'told', 'clean']);
  });
});

describe('a handler', () => {
  test('that has no queue does not keep a run from its end', async () => {
    const world = new RunWorld();
    const { router } = world;
    world.router = (task, queue) =>
      task === 'told' ? { reason: 'NoQueue', message: 'no queue' } : router(task, queue);
    const { driver } = await begun({ task: 'boom', ...told }, {}, world);
    await world.workAll();
    await world.clock.turn(1_200_000);
    await world.workAll();
    const { stage, names, status } = await seen(world, driver);
    expect([stage, names]).toEqual(['Ended', ['boom', 'clean']]);
    expect(status.handlers?.[0]?.message).toContain('HandlerTimeout');
  });

  test('has a countdown, retries and limits of its own', async () => {
    const handler = { task: 'boom', countdown: '10s', retry: { maxRetries: 1, backoff: '20s', jitter: false } };
    const { world, driver } = await begun({
      task: 'a',
      link: [handler],
      finally: [{ task: 'clean', countdown: '5s' }],
    });
    await world.succeed(world.take(), 1);
    expect(world.waiting).toEqual([]);
    await world.clock.turn(10_000);
    await world.fail(world.take());
    await world.clock.turn(20_000);
    await world.fail(world.take());
    expect(world.waiting).toEqual([]);
    await world.clock.turn(5_000);
    await world.workAll();
    const { root, stage, names } = await seen(world, driver);
    expect([root, stage, names]).toEqual(['Succeeded', 'Ended', ['a', 'boom', 'boom', 'clean']]);
  });
});
