import { describe, expect, test } from 'vitest';
import type { StoredRun } from '#core/workflow/advance.ts';
import type { RunStore } from '#io/runs/run-store.ts';
import { slotStateAt } from '#core/workflow/slots.ts';
import { settle } from '../support/hand-clock.ts';
import { seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

const chain = { chain: [{ task: 'a' }, { map: { task: 'b' } }] };

/** The store of a world, with some of its methods replaced. */
function storeWith({ store }: RunWorld, changes: Partial<RunStore>): RunStore {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(changes, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('what was decided and not acknowledged', () => {
  test('is nothing that a closed engine remembers, nor that is shown', async () => {
    const world = new RunWorld();
    let hangs = false;
    const advance: RunStore['advance'] = (...given) =>
      hangs ? new Promise(() => undefined) : world.store.advance(...given);
    const engine = await world.engine({ store: storeWith(world, { advance }) });
    const driver = await world.begin(engine, chain);
    const { key, rev } = driver.run;
    expect(driver.run.isAhead).toBe(false);
    hangs = true;
    await world.succeed(world.take(), [1, 2]);
    expect([driver.run.isAhead, driver.run.view.state.maps.size]).toEqual([true, 1]);
    const remembered = engine.close().get(key.uid)!.stored;
    expect(remembered.head.rev).toBe(rev);
    expect(toldBy(remembered)).toEqual(toldBy((await world.store.read(key))!));
  });

  test('is forgotten when the store refuses it: who leads no more tells nothing of its own', async () => {
    const world = new RunWorld();
    const old = await world.begin(await world.engine(), { group: [{ task: 'a' }, { task: 'b' }] });
    await world.begin(await world.engine(), { group: [{ task: 'a' }, { task: 'b' }] });
    world.leading = false;
    old.see({
      step: 1,
      member: 0,
      attempt: 0,
      seen: 'Revoked',
      failure: { exc: '"x"' as never, traceback: 'null' as never },
    });
    await settle();
    const { state, evaluation } = old.run.view;
    expect([old.run.isAhead, slotStateAt(state.slots, 1), evaluation.states[1]]).toEqual([
      false,
      'Published',
      'Active',
    ]);
    expect(state.kept.get(1)).toBeUndefined();
  });

  test('is decided again when the store did not answer', async () => {
    const world = new RunWorld();
    let isAway = false;
    const advance: RunStore['advance'] = (...given) =>
      isAway ? Promise.reject(new Error('away')) : world.store.advance(...given);
    const driver = await world.begin(await world.engine({ store: storeWith(world, { advance }) }), chain);
    isAway = true;
    await world.succeed(world.take(), [1, 2]);
    expect([driver.run.isAhead, driver.run.view.state.maps.size]).toEqual([false, 0]);
    isAway = false;
    await world.clock.turn(1_000);
    await world.workAll();
    const { root, names } = await seen(world, driver);
    expect([root, names]).toEqual(['Succeeded', ['a', 'b', 'b']]);
  });
});

test('a run is written back in the end, however often its shard is taken meanwhile', async () => {
  const world = new RunWorld();
  let refusals = 7;
  const restore: RunStore['restore'] = (...given) => {
    refusals -= 1;
    return refusals < 0
      ? world.store.restore(...given)
      : Promise.resolve({ ok: false, refusal: 'StaleFence', fence: 9 });
  };
  const driver = await world.begin(await world.engine({ store: storeWith(world, { restore }) }), chain);
  world.store.lose(driver.run.key.uid);
  await world.succeed(world.take(), [1]);
  expect(driver.trouble?.message).toContain('took shard');
  await world.clock.turn(2_000);
  expect([refusals, driver.losses.times, driver.trouble]).toEqual([-1, 1, undefined]);
});

/** What waits and was never told of need not be there. */
function toldBy({ slots, kept, maps }: StoredRun) {
  return { slots: slots.slice(0, slots.findLastIndex((byte) => byte !== 0) + 1), kept, maps };
}
