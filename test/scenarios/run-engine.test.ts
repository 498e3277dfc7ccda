import { describe, expect, test } from 'vitest';
import { nullText } from '#core/base/json-text.ts';
import { noteIdOf } from '#core/base/task-id.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import { decodeFailure, readError } from '#core/workflow/failure.ts';
import { rootIdOf } from '#core/workflow/message.ts';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { RunStoreUnavailable } from '#io/runs/run-store.ts';
import type { NoRoute, Route } from '#operator/runs/route.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { settle } from '../support/hand-clock.ts';
import { RunWorld } from './run-world.ts';

const chain = {
  chain: [
    { task: 'add', args: [1] },
    { task: 'add', args: [2] },
    { task: 'add', args: [3] },
  ],
};

function stage(driver: RunDriver): string {
  return driver.run.view.evaluation.stage;
}

async function rootResult(world: RunWorld, driver: RunDriver): Promise<unknown> {
  const [text] = await world.results.read([rootIdOf(driver.run.identity)]);
  return text === undefined ? undefined : (JSON.parse(text) as { result: unknown }).result;
}

describe('a run', () => {
  test('goes step by step and leaves its result under the root’s id', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), chain);
    await world.workAll();
    expect(world.calls).toEqual(['add', 'add', 'add']);
    expect(driver.isConcluded).toBe(true);
    expect(await rootResult(world, driver)).toBe(6);
  });

  test('publishes nothing before it is released', async () => {
    const world = new RunWorld();
    const driver = await world.beginUnreleased(await world.engine(), chain);
    await world.clock.turn(10_000);
    expect(world.waiting).toEqual([]);
    driver.release();
    await settle();
    expect(world.waiting).toHaveLength(1);
  });

  test('rests while nothing happens, however often it is released by those who watch it', async () => {
    const world = new RunWorld();
    const driver = await world.beginUnreleased(await world.engine(), chain);
    let looks = 0;
    world.onChange = () => {
      looks += 1;
      driver.release();
    };
    driver.release();
    await world.clock.turn(1_000);
    expect(looks).toBe(1);
  });

  test('goes on when every hint is lost: the sweep finds the results', async () => {
    const world = new RunWorld();
    const deaf = new MemoryResultStore();
    const results = Object.assign(Object.create(world.results) as MemoryResultStore, {
      store: world.results.store.bind(world.results),
      read: world.results.read.bind(world.results),
      glance: world.results.glance.bind(world.results),
      hear: deaf.hear.bind(deaf),
    });
    const driver = await world.begin(await world.engine({ results }), chain);
    for (let i = 0; i < 3; i += 1) {
      await world.workAll();
      await world.clock.turn(6_000);
    }
    expect(stage(driver)).toBe('Ended');
  });

  test('fetches large results a few at a time, however many were not heard', async () => {
    const world = new RunWorld();
    const first = await world.engine();
    const canvas = { map: { task: 'add', range: { stop: 40 } } };
    await world.begin(first, canvas);
    first.close();
    while (world.waiting.length > 0) await world.succeed(world.take(), 'x'.repeat(300_000));
    const fetched: number[] = [];
    const read: typeof world.results.read = async (ids) => {
      const texts = await world.results.read(ids);
      fetched.push(texts.reduce((sum, text = '') => sum + text.length, 0));
      return texts;
    };
    const results = Object.assign(Object.create(world.results) as MemoryResultStore, {
      store: world.results.store.bind(world.results),
      read,
      glance: world.results.glance.bind(world.results),
      hear: world.results.hear.bind(world.results),
    });
    const driver = await world.begin(await world.engine({ results }), canvas);
    await world.clock.turn(6_000);
    expect(stage(driver)).toBe('Ended');
    expect(Math.max(...fetched)).toBeLessThan(10_000_000);
  });

  test('resumes under another operator, with what was stored meanwhile, and calls nothing twice', async () => {
    const world = new RunWorld();
    const first = await world.engine();
    await world.begin(first, chain);
    await world.succeed(world.take(), 1);
    const second = world.take();
    first.close();
    await world.succeed(second, 3);
    const driver = await world.begin(await world.engine(), chain);
    await world.clock.turn(200);
    await world.workAll();
    expect(world.calls).toEqual(['add', 'add', 'add']);
    expect(await rootResult(world, driver)).toBe(6);
  });

  test('is left alone by a leader that was overtaken and does not lead any more', async () => {
    const world = new RunWorld();
    const old = await world.engine({ isLeading: () => false });
    await world.begin(old, chain);
    const current = await world.engine();
    const driver = await world.begin(current, chain);
    await world.workAll();
    expect(world.calls).toEqual(['add', 'add', 'add']);
    expect(driver.isConcluded).toBe(true);
  });

  test('waits for a store that is away, and writes once when it is back', async () => {
    const world = new RunWorld();
    const { store } = world;
    let isAway = false;
    const failing = new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          isAway
            ? Promise.reject(new RunStoreUnavailable('away'))
            : (value as (...given: unknown[]) => unknown).apply(target, args);
      },
    });
    const driver = await world.begin(await world.engine({ store: failing }), chain);
    isAway = true;
    await world.succeed(world.take(), 1);
    await world.clock.turn(1_000);
    expect(driver.trouble).toMatchObject({
      reason: 'ConnectionNotReady',
      message: expect.stringContaining('away') as unknown,
    });
    expect(world.waiting).toEqual([]);
    isAway = false;
    await world.clock.turn(10_000);
    expect(driver.trouble).toBeUndefined();
    await world.workAll();
    expect(world.calls).toEqual(['add', 'add', 'add']);
  });

  test('does a write whose answer was lost only once', async () => {
    const world = new RunWorld();
    const { store } = world;
    let loseNext = false;
    const lossy = new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          const answer: unknown = await (value as (...given: unknown[]) => unknown).apply(target, args);
          if (!loseNext || name !== 'advance') return answer;
          loseNext = false;
          throw new RunStoreUnavailable('the answer was lost');
        };
      },
    });
    const driver = await world.begin(await world.engine({ store: lossy }), chain);
    loseNext = true;
    await world.succeed(world.take(), 1);
    await world.clock.turn(1_000);
    expect(world.waiting).toHaveLength(1);
    await world.workAll();
    expect(driver.isConcluded).toBe(true);
  });
});

describe('a lost message', () => {
  test('is sent again as a new attempt once it was absent twice', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), { task: 'add', args: [4] });
    const lost = world.take();
    world.taken.clear();
    await world.clock.turn(5_000);
    expect(world.waiting).toHaveLength(0);
    await world.clock.turn(5_000);
    const again = world.take();
    expect(again.id).not.toBe(lost.id);
    await world.succeed(again, 4);
    expect(driver.isConcluded).toBe(true);
    expect(await rootResult(world, driver)).toBe(4);
  });

  test('is none that a broker would not take yet: it waits in the outbox', async () => {
    const world = new RunWorld();
    const { router } = world;
    world.router = (...asked) => ({ ...(router(...asked) as Route), place: { broker: 'other' } });
    const { broker } = world.ports();
    let isFull = true;
    const publish: typeof broker.publish = (entries) =>
      isFull ? Promise.reject(new Error('OOM command not allowed')) : broker.publish(entries);
    const engine = await world.engine({ broker: { ...broker, publish } });
    const driver = await world.begin(engine, { task: 'add', args: [4] });
    for (let seconds = 0; seconds < 60; seconds += 5) await world.clock.turn(5_000);
    isFull = false;
    await world.clock.turn(10_000);
    expect(world.waiting).toHaveLength(1);
    await world.succeed(world.take(), 4);
    expect(await rootResult(world, driver)).toBe(4);
  });

  test('is given up after its bound, and the errback is called', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), { task: 'add', linkError: [{ task: 'told' }] });
    for (let attempt = 0; attempt <= 3; attempt += 1) {
      expect(world.take().task).toBe('add');
      world.taken.clear();
      await world.clock.turn(10_000);
    }
    const errback = world.take();
    expect(errback.task).toBe('told');
    expect(errback.args[1]).toMatchObject({ exc_type: 'WorkerLost' });
    await world.succeed(errback, null);
    expect(driver.isConcluded).toBe(true);
    expect(driver.run.view.evaluation.states[0]).toBe('Failed');
  });

  test('that answers after all is believed, and the newer attempt is not waited for', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), chain);
    const slow = world.take();
    world.taken.clear();
    await world.clock.turn(10_000);
    expect(world.waiting).toHaveLength(1);
    await world.succeed(slow, 1);
    expect(driver.run.view.evaluation.states[1]).toBe('Succeeded');
  });

  const whereItWent: readonly { where: string; now: Partial<Route> | NoRoute }[] = [
    { where: 'a queue of its own connection', now: {} },
    { where: 'one of another connection', now: { isWatched: false } },
    { where: 'one that is gone', now: { reason: 'NoQueue', message: 'no TaskQueue takes task add' } },
  ];
  test.each(whereItWent)('of $where that its worker noted to leave no result fails, also unheard', async ({ now }) => {
    const world = new RunWorld();
    const { router } = world;
    const before = await world.engine();
    await world.begin(before, { task: 'add' });
    const { id } = world.take();
    before.close();
    world.taken.clear();
    const text = encodeResultMeta({ id, status: 'IGNORED', resultText: nullText, dateDone: null });
    await world.results.store([{ id: noteIdOf(id)!, text }]);
    world.router = (...asked) => ('reason' in now ? now : { ...(router(...asked) as Route), ...now });
    const driver = await world.begin(await world.engine(), { task: 'add' });
    await world.clock.turn(60_000);
    expect(world.waiting).toHaveLength(0);
    expect(driver.run.view.evaluation.states[0]).toBe('Failed');
    expect(readError(decodeFailure(driver.run.view.state.kept.get(0)).exc).type).toBe('NoResult');
  });

  test('of a queue whose workers keep no books is left to them', async () => {
    const world = new RunWorld();
    const router = world.router;
    world.router = (task, queue) => ({ ...router(task, queue), isWatched: false });
    await world.begin(await world.engine(), { task: 'add' });
    world.take();
    world.taken.clear();
    await world.clock.turn(60_000);
    expect(world.waiting).toHaveLength(0);
  });
});

describe('when things are wrong', () => {
  test('a step without a route waits, says so, and goes on once there is one', async () => {
    const world = new RunWorld();
    const { router } = world;
    world.router = () => ({ reason: 'NoQueue', message: 'no TaskQueue takes task add' });
    const engine = await world.engine();
    const driver = await world.begin(engine, chain);
    expect(driver.run.blocked).toMatchObject({ step: 1, reason: 'NoQueue' });
    world.router = router;
    engine.reroute();
    await settle();
    await world.workAll();
    expect(driver.isConcluded).toBe(true);
  });

  test('a run whose head is gone is written back and goes on in a further round', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), chain);
    const first = world.take();
    world.store.lose(driver.run.key.uid);
    await world.succeed(first, 1);
    expect(driver.run.identity.round).toBe(1);
    expect(driver.losses).toEqual({ times: 1, sentAgain: 0, runAgain: 0 });
    await world.workAll();
    expect(driver.run.view.evaluation.stage).toBe('Ended');
    expect(world.calls).toEqual(['add', 'add', 'add']);
  });

  test('a run that began with another spec is not touched', async () => {
    const world = new RunWorld();
    const first = await world.engine();
    await world.begin(first, chain);
    first.close();
    world.waiting.length = 0;
    const driver = await world.begin(await world.engine(), { chain: chain.chain.slice(0, 2) });
    expect(driver.stopped?.reason).toBe('SpecChanged');
    expect(world.waiting).toEqual([]);
  });

  test('a handler that nobody runs does not keep a run from its end', async () => {
    const world = new RunWorld();
    const driver = await world.begin(await world.engine(), { task: 'add', link: [{ task: 'told' }] });
    await world.succeed(world.take(), 1);
    expect(stage(driver)).toBe('Finalizing');
    await world.clock.turn(1_190_000);
    expect(stage(driver)).toBe('Finalizing');
    await world.clock.turn(20_000);
    expect(stage(driver)).toBe('Ended');
    expect(driver.run.view.evaluation.states[0]).toBe('Succeeded');
  });

  test('deleting a Workflow takes back what waits and forgets the run', async () => {
    const world = new RunWorld();
    const engine = await world.engine();
    const driver = await world.begin(engine, { group: [{ task: 'add' }, { task: 'add' }] });
    const taken = world.take();
    await engine.withdraw(driver);
    expect(world.waiting).toEqual([]);
    expect(engine.find(driver.run.key.uid)).toBeUndefined();
    expect(await engine.registered()).toEqual([]);
    await world.succeed(taken, 1);
    expect(world.waiting).toEqual([]);
  });
});

test('what a Workflow asks for, said again and again, makes nobody look', async () => {
  const world = new RunWorld();
  let looks = 0;
  const driver = await world.begin(await world.engine(), { task: 'add' });
  world.onChange = () => {
    looks += 1;
    driver.configure({ ...world.settings });
  };
  driver.configure({ ...world.settings });
  await settle();
  expect(looks).toBe(0);
  driver.configure({ ...world.settings, suspended: true });
  await settle();
  expect(looks).toBeLessThan(4);
});
