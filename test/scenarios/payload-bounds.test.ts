import { describe, expect, test } from 'vitest';
import { limits } from '#core/base/limits.ts';
import type { AdvanceRequest } from '#core/workflow/advance.ts';
import { settle } from '../support/hand-clock.ts';
import { seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

const megabyte = 'x'.repeat(1024 * 1024 - 2);

/** What each call of the deciding script carried, in characters. */
function watched(world: RunWorld): { readonly sent: number[]; readonly kept: number[] } {
  const calls = { sent: [] as number[], kept: [] as number[] };
  const advance = world.store.advance.bind(world.store);
  const sum = (texts: readonly string[]): number => texts.reduce((length, text) => length + text.length, 0);
  world.store.advance = (run, request: AdvanceRequest) => {
    calls.sent.push(sum(request.publishes.map(({ dispatch }) => ('message' in dispatch ? dispatch.message : ''))));
    calls.kept.push(sum(request.records.map(({ keep }) => keep ?? '')));
    return advance(run, request);
  };
  return calls;
}

describe('one call of the deciding script', () => {
  test('carries some 8 MiB of messages at most, and the rest follows in others', async () => {
    const world = new RunWorld();
    const calls = watched(world);
    const both = { group: [{ task: 'a' }, { task: 'a' }] };
    const driver = await world.begin(await world.engine(), {
      chain: [both, { group: Array.from({ length: 20 }, () => ({ task: 'b' })) }],
    });
    for (let i = 0; i < 2; i += 1) await world.succeed(world.take(), megabyte);
    await settle();
    expect(world.waiting).toHaveLength(20);
    const longest = Math.max(...world.waiting.map((raw) => raw.length));
    expect(Math.max(...calls.sent)).toBeLessThan(limits.publishedBytesPerCall + longest);
    expect(calls.sent.filter((length) => length > 0).length).toBeGreaterThan(5);
    // What was granted and had to wait took no place away: all of them are in flight, and none is held.
    expect((await seen(world, driver)).status).toMatchObject({ running: 20, held: 0 });
  });

  test('takes in some 8 MiB of results at most', async () => {
    const world = new RunWorld();
    const calls = watched(world);
    const engine = await world.engine();
    const driver = await world.begin(engine, { group: Array.from({ length: 30 }, () => ({ task: 'a' })) });
    const taken = Array.from({ length: 30 }, () => world.take());
    await Promise.all(taken.map((each) => world.succeed(each, megabyte)));
    await settle();
    expect(driver.run.view.evaluation.stage).toBe('Ended');
    expect(Math.max(...calls.kept)).toBeLessThanOrEqual(limits.recordedBytesPerCall + megabyte.length + 2);
  });
});

describe('a run that the operator fails on', () => {
  test('says so, is tried again ever more seldom, and keeps no other from going on', async () => {
    const world = new RunWorld();
    const said: object[] = [];
    const engine = await world.engine({
      log: { info: () => undefined, warn: (fields, message) => said.push({ ...fields, message }) },
    });
    const { router } = world;
    world.router = (task, queue) => {
      if (task === 'broken') throw new RangeError('Invalid string length');
      return router(task, queue);
    };
    const other = 'bbbbbbbb-bbbb-4000-8000-000000000000';
    const bad = await world.begin(engine, { task: 'broken' });
    const good = await world.begin(engine, { chain: [{ task: 'a' }, { task: 'b' }] }, other);
    await world.clock.turn(60_000);
    await world.workAll();
    expect(good.run.view.evaluation.stage).toBe('Ended');
    expect(bad.trouble).toMatchObject({ reason: 'OperatorError' });
    expect(bad.trouble?.message).toContain('Invalid string length');
    expect(said.length).toBeGreaterThan(10);
    expect(said.length).toBeLessThan(25);
    expect(said.at(-1)).toMatchObject({ workflow: bad.run.key.uid, retryMs: 5_000 });
    world.router = router;
    await world.clock.turn(5_000);
    await world.workAll();
    expect([bad.trouble, bad.run.view.evaluation.stage]).toEqual([undefined, 'Ended']);
  });
});
