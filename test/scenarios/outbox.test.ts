import { describe, expect, test } from 'vitest';
import { settle } from '../support/hand-clock.ts';
import { ApartWorld } from './apart-world.ts';
import { seen } from './ended-run.ts';

const minute = 60_000;
const three = { group: [{ task: 'a' }, { task: 'b' }, { task: 'c' }] };

async function ended(world: ApartWorld, driver: Parameters<typeof seen>[1]) {
  const { root, stage, status } = await seen(world, driver);
  return { root, stage, reasons: status.failures?.map(({ type }) => type), isConcluded: driver.isConcluded };
}

/** What a world's broker takes back and stops; while it is away, nothing. */
function flaky(world: ApartWorld) {
  const { broker } = world.ports();
  const lost = {
    isAway: true,
    broker: {
      ...broker,
      withdraw: (...asked: Parameters<typeof broker.withdraw>) => away(() => broker.withdraw(...asked)),
      revoke: (...asked: Parameters<typeof broker.revoke>) => away(() => broker.revoke(...asked)),
    },
  };
  const away = <T>(call: () => Promise<T>): Promise<T> => (lost.isAway ? Promise.reject(new Error('away')) : call());
  return lost;
}

describe('while a broker apart from the results takes nothing, a run', () => {
  const bounds = [
    { what: 'waitLimit', spec: { task: 'a', waitLimit: '5s' }, type: 'WaitLimitExceeded', withinMs: 6_000 },
    { what: 'expires', spec: { task: 'a', expires: '5s' }, type: 'Expired', withinMs: 6_000 },
  ];
  test.each(bounds)('ends by the $what of what was not sent', async ({ spec, type, withinMs }) => {
    const world = new ApartWorld();
    const { driver } = await world.begun(spec);
    await world.clock.turn(withinMs);
    expect(await ended(world, driver)).toMatchObject({ root: 'Failed', stage: 'Ended', reasons: [type] });
    world.broker = 'Takes';
    await world.clock.turn(minute);
    expect(world.waiting).toEqual([]);
  });

  test.each(['Refuses', 'Hangs'] as const)('is cancelled at once, and nothing of it is sent later: %s', async (how) => {
    const world = new ApartWorld();
    world.broker = how;
    const { driver } = await world.begun(three);
    await world.configure(driver, { cancel: true });
    // What a hanging broker was asked for nobody can tell before the call broke.
    for (const { reject } of world.hanging) reject(new Error('Command timed out'));
    await world.clock.turn(6_000);
    const { root, status } = await seen(world, driver);
    expect([root, driver.isConcluded, status.notStopped]).toEqual(['Cancelled', true, undefined]);
    world.broker = 'Takes';
    await world.clock.turn(minute);
    expect(world.waiting).toEqual([]);
  });

  test('reaches its deadline, and handlers end by their bound', async () => {
    const world = new ApartWorld();
    world.settings = { ...world.settings, deadlineMs: 5_000 };
    const { driver } = await world.begun({ ...three, finally: [{ task: 'clean' }] });
    await world.clock.turn(10_000);
    expect(await ended(world, driver)).toMatchObject({ root: 'Cancelled', stage: 'Finalizing' });
    await world.clock.turn(21 * minute);
    expect(await ended(world, driver)).toMatchObject({ stage: 'Ended', isConcluded: true });
    world.broker = 'Takes';
    await world.clock.turn(minute);
    expect(world.waiting).toEqual([]);
  });

  test('goes on with what its workers answer, says why it sends nothing, and sends all in order later', async () => {
    const world = new ApartWorld();
    world.broker = 'Takes';
    world.slots = 1;
    const { driver } = await world.begun({ chain: [{ task: 'a' }, three, { task: 'end' }] });
    const first = world.take();
    world.broker = 'Refuses';
    await world.succeed(first, 1);
    expect(driver.run.view.evaluation.states[1]).toBe('Succeeded');
    expect(driver.trouble?.message).toContain('wait until their broker takes them: OOM');
    world.broker = 'Takes';
    await world.clock.turn(6_000);
    expect(driver.trouble).toBeUndefined();
    await world.workAll();
    expect(world.calls).toEqual(['a', 'a', 'b', 'c', 'end']);
  });

  test('that is suspended meanwhile sends nothing when the broker is back, before it is resumed', async () => {
    const world = new ApartWorld();
    const { driver } = await world.begun({ task: 'a' });
    await world.configure(driver, { suspended: true });
    world.broker = 'Takes';
    await world.clock.turn(minute);
    expect(world.waiting).toEqual([]);
    await world.configure(driver, { suspended: false });
    await world.workAll();
    expect((await seen(world, driver)).root).toBe('Succeeded');
  });
});

describe('a message of which nobody knows whether its broker has it', () => {
  test('is taken back from there, once what it was for was cancelled and the broker answers', async () => {
    const world = new ApartWorld();
    world.broker = 'Hangs';
    const { driver } = await world.begun({ task: 'a' });
    for (const { reject } of world.hanging) reject(new Error('Command timed out'));
    await settle();
    await world.configure(driver, { cancel: true });
    world.arrive();
    world.broker = 'Takes';
    await world.clock.turn(10_000);
    expect(world.waiting).toEqual([]);
    expect((await seen(world, driver)).root).toBe('Cancelled');
    expect(driver.run.outbox.isEmpty).toBe(true);
  });

  test('that did leave is withdrawn from its queue by a cancel', async () => {
    const world = new ApartWorld();
    world.broker = 'Hangs';
    const { driver } = await world.begun({ task: 'a' });
    await world.configure(driver, { cancel: true });
    world.arrive();
    for (const { resolve } of world.hanging) resolve();
    await world.clock.turn(6_000);
    expect([world.waiting, (await seen(world, driver)).root]).toEqual([[], 'Cancelled']);
  });

  const queuesOfThatDay = [
    { of: 'its queue', queues: ['q'], left: { waiting: 0, revoked: 0 } },
    { of: 'no queue that is known today', queues: [], left: { waiting: 1, revoked: 1 } },
  ];
  test.each(queuesOfThatDay)('keeps its ended run registered until the broker of $of answered', async (row) => {
    const world = new ApartWorld();
    const lost = flaky(world);
    world.broker = 'Hangs';
    const { engine, driver } = await world.begun({ task: 'a', waitLimit: '5s' }, { broker: lost.broker });
    world.arrive();
    for (const { reject } of world.hanging) reject(new Error('Command timed out'));
    world.broker = 'Refuses';
    await world.clock.turn(10_000);
    expect((await seen(world, driver)).root).toBe('Failed');
    await engine.end(driver);
    // The next operator finds it, twice, while the broker is still away.
    const next = await world.engine({ broker: lost.broker });
    for (let looks = 0; looks < 2; looks += 1) {
      const [key] = await next.registered();
      await next.endForgotten(key!, row.queues);
      expect(next.held()).toEqual(new Map());
    }
    expect(world.waiting).toHaveLength(1);
    lost.isAway = false;
    await next.endForgotten(driver.run.key, row.queues);
    expect(await next.registered()).toEqual([]);
    expect({ waiting: world.waiting.length, revoked: world.revoked.size }).toEqual(row.left);
  });

  test('is not sent again by who takes over, when a worker told of it', async () => {
    const world = new ApartWorld();
    world.broker = 'Takes';
    const { store } = world;
    const forgetful = new Proxy(store, {
      get: (target, name) => {
        if (name === 'clearOutbox') return () => Promise.reject(new Error('the operator crashed'));
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const first = await world.begun({ task: 'a' }, { store: forgetful });
    const task = world.take();
    first.driver.see({ step: 0, member: 0, attempt: 0, seen: 'Started' });
    await settle();
    first.engine.close();
    const { driver } = await world.begun({ task: 'a' });
    await world.clock.turn(1_000);
    expect([world.waiting, driver.run.outbox.isEmpty]).toEqual([[], true]);
    await world.succeed(task, 1);
    expect((await seen(world, driver)).root).toBe('Succeeded');
  });
});

test('a forgotten run that left nothing in its outbox ends whether its broker answers or not', async () => {
  const world = new ApartWorld();
  world.broker = 'Takes';
  const { broker } = flaky(world);
  const { engine, driver } = await world.begun({ task: 'a' }, { broker });
  engine.close();
  const next = await world.engine({ broker });
  await next.endForgotten(driver.run.key, ['q']);
  expect([await next.registered(), next.held()]).toEqual([[], new Map()]);
});

describe('of two operators', () => {
  test('the one that leads no more sends nothing of what the other ended', async () => {
    const world = new ApartWorld();
    const old = await world.begun(three);
    const { driver } = await world.begun(three);
    await world.configure(driver, { cancel: true });
    await world.clock.turn(1_000);
    expect((await seen(world, driver)).root).toBe('Cancelled');
    world.leading = false;
    world.broker = 'Takes';
    await world.clock.turn(minute);
    expect([world.waiting, old.driver.isConcluded]).toEqual([[], true]);
  });

  test('a run that ended with its messages unsent is found ended, and they stay unsent', async () => {
    const world = new ApartWorld();
    const old = await world.begun({ task: 'a', waitLimit: '5s' });
    await world.clock.turn(6_000);
    old.engine.close();
    world.broker = 'Takes';
    const { driver } = await world.begun({ task: 'a', waitLimit: '5s' });
    await world.clock.turn(minute);
    expect([world.waiting, driver.isConcluded]).toEqual([[], true]);
  });
});

test('what was sent while its run was being read is not sent again for the older answer', async () => {
  const world = new ApartWorld();
  world.broker = 'Hangs';
  const { driver } = await world.begun({ task: 'a' });
  const read = world.store.read.bind(world.store);
  const { promise: isSent, resolve: sent } = Promise.withResolvers<undefined>();
  world.store.read = async (run) => {
    const found = await read(run);
    await isSent;
    return found;
  };
  driver.run.doubt();
  driver.schedule();
  await settle();
  world.broker = 'Takes';
  world.arrive();
  for (const { resolve } of world.hanging) resolve();
  await settle();
  sent(undefined);
  await world.clock.turn(minute);
  expect(world.waiting).toHaveLength(1);
});

test('what is overdue while it leaves is taken back as soon as it has left', async () => {
  const world = new ApartWorld();
  world.broker = 'Hangs';
  const { driver } = await world.begun({ task: 'a', waitLimit: '5s' });
  await world.clock.turn(5_500);
  expect((await seen(world, driver)).root).toBe('Active');
  world.broker = 'Takes';
  world.arrive();
  for (const { resolve } of world.hanging) resolve();
  await settle();
  expect(await ended(world, driver)).toMatchObject({ root: 'Failed', reasons: ['WaitLimitExceeded'] });
  expect(world.waiting).toEqual([]);
});

test('what an ended run still asks its broker for leaves the places of its next round alone', async () => {
  const world = new ApartWorld();
  world.slots = 1;
  world.broker = 'Hangs';
  const { broker } = world.ports();
  const { promise: isBack, resolve: back } = Promise.withResolvers<undefined>();
  let isAway = false;
  const withdraw = async (...asked: Parameters<typeof broker.withdraw>) => {
    if (isAway) await isBack;
    return broker.withdraw(...asked);
  };
  const wide = { group: Array.from({ length: 100 }, () => ({ task: 'a', waitLimit: '5s' })) };
  const { engine, driver } = await world.begun(wide, { broker: { ...broker, withdraw } });
  for (const { reject } of world.hanging) reject(new Error('Command timed out'));
  world.broker = 'Refuses';
  isAway = true;
  await world.clock.turn(minute);
  expect([driver.isConcluded, driver.run.outbox.isInDoubt]).toEqual([true, true]);
  await engine.end(driver);
  world.broker = 'Takes';
  world.settings = { ...world.settings, retryFailed: 1 };
  await world.begin(engine, wide);
  const { length: places } = world.waiting;
  expect(places).toBeLessThan(100);
  back(undefined);
  await settle();
  await world.succeed(world.take(), 1);
  expect(world.waiting).toHaveLength(places);
});
