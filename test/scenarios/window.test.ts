import { beforeEach, describe, expect, test } from 'vitest';
import { settle } from '../support/hand-clock.ts';
import { RunWorld } from './run-world.ts';

const large = 'aaaaaaaa-0000-4000-8000-000000000000';
const small = 'bbbbbbbb-0000-4000-8000-000000000000';
const wide = { map: { task: 'add', range: 1_000 } };

let world: RunWorld;
beforeEach(() => {
  world = new RunWorld();
  world.slots = 10;
});

/** Of which run the message is that waits at this place; -1 is the newest. */
function runAt(place: number): string {
  const message = JSON.parse(world.waiting.at(place) ?? '') as { readonly headers: { readonly root_id: string } };
  return message.headers.root_id.slice(0, 8);
}

describe('the window before a queue', () => {
  test('lets out what its workers will soon take, and as much again as ends', async () => {
    const engine = await world.engine();
    await world.begin(engine, wide);
    expect(world.waiting).toHaveLength(46);
    expect(engine.held()).toEqual(new Map([['q', 954]]));
    for (let at = 0; at < 5; at += 1) await world.succeed(world.take(), at);
    expect(world.waiting).toHaveLength(46);
    expect(engine.held()).toEqual(new Map([['q', 949]]));
    await world.workAll(2_000);
    expect(engine.held()).toEqual(new Map());
    expect(world.calls).toHaveLength(1_000);
  });

  test('gives the next place to a run that has one task, whatever waits before it', async () => {
    const engine = await world.engine();
    await world.begin(engine, wide, large);
    await world.begin(engine, { task: 'add' }, small);
    expect(world.waiting).toHaveLength(46);
    await world.succeed(world.take(), 1);
    expect(runAt(-1)).toBe(small.slice(0, 8));
  });

  test('gives it to the most urgent', async () => {
    const engine = await world.engine();
    await world.begin(engine, { map: { task: 'add', range: 1_000, priority: 3 } }, large);
    await world.begin(
      engine,
      {
        group: [
          { task: 'add', priority: 2 },
          { task: 'add', priority: 5 },
        ],
      },
      small,
    );
    for (let at = 0; at < 5; at += 1) await world.succeed(world.take(), at);
    const latest = [-5, -4, -3, -2, -1].map(runAt);
    expect(latest.filter((run) => run === small.slice(0, 8))).toHaveLength(1);
  });

  test('counts what a run had in flight when another operator takes it over', async () => {
    await world.begin(await world.engine(), wide, large);
    const second = await world.engine();
    // Not all that was here has been begun: what is held is not known.
    expect(second.held()).toBeUndefined();
    await world.begin(second, wide, large);
    expect(second.held()).toEqual(new Map([['q', 954]]));
    expect(world.waiting).toHaveLength(46);
  });

  test('knows what is held when the runs that nobody asks for are ended', async () => {
    await world.begin(await world.engine(), wide, large);
    const second = await world.engine();
    const [key] = await second.registered();
    await second.endForgotten(key!, ['q']);
    expect(second.held()).toEqual(new Map());
  });

  test('is not filled again by a run that is deleted while it was about to look again', async () => {
    const engine = await world.engine();
    const driver = await world.begin(engine, wide, large);
    driver.schedule();
    await engine.withdraw(driver);
    await settle();
    expect(world.waiting).toEqual([]);
    expect(engine.held()).toEqual(new Map());
  });

  test('is left to the other runs by one that is deleted', async () => {
    const engine = await world.engine();
    const driver = await world.begin(engine, wide, large);
    await world.begin(engine, wide, small);
    expect(new Set(world.waiting.map((_, at) => runAt(at)))).toEqual(new Set([large.slice(0, 8)]));
    await engine.withdraw(driver);
    await settle();
    expect(world.waiting).toHaveLength(46);
    expect(new Set(world.waiting.map((_, at) => runAt(at)))).toEqual(new Set([small.slice(0, 8)]));
  });

  test('grows by what workers took, and not by what a cancel takes back', async () => {
    const engine = await world.engine();
    const cancelled = await world.begin(engine, wide, large);
    await world.begin(engine, wide, small);
    cancelled.configure({ ...world.settings, cancel: true });
    await settle();
    expect(world.waiting).toHaveLength(46);
    expect(new Set(world.waiting.map((_, at) => runAt(at)))).toEqual(new Set([small.slice(0, 8)]));
  });

  test('does not grow by what is taken back because it waited too long', async () => {
    const engine = await world.engine();
    await world.begin(engine, { map: { task: 'add', range: 1_000, waitLimit: '1s' } }, large);
    await world.begin(engine, wide, small);
    await world.clock.turn(1_000);
    await settle();
    expect(world.waiting).toHaveLength(46);
  });

  test('counts tasks that go the same way together, and lets out also those that were only counted', async () => {
    const engine = await world.engine();
    await world.begin(engine, { group: Array.from({ length: 1_500 }, () => ({ task: 'add' })) });
    expect(engine.held()).toEqual(new Map([['q', 1_454]]));
    world.slots = 600;
    await world.clock.turn(100);
    expect(world.waiting).toHaveLength(1_500);
    expect(engine.held()).toEqual(new Map());
  });
});
