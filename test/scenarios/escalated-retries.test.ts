import { beforeEach, describe, expect, test } from 'vitest';
import { settle } from '../support/hand-clock.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import type { RunEngine } from '#operator/runs/run-engine.ts';
import { RunWorld } from './run-world.ts';

const retry = { maxRetries: 1, backoff: '1s', jitter: false, escalateTo: 'large' };
const wide = { map: { task: 'add', range: 1_500, retry } };

let world: RunWorld;
/** Nobody has made the queue for retries yet. */
let isLargeMissing: boolean;
beforeEach(() => {
  world = new RunWorld();
  isLargeMissing = false;
  const { router } = world;
  world.router = (task, queue) => {
    const route = router(task, queue);
    if (queue !== 'large') return route;
    return isLargeMissing ? { reason: 'NoQueue', message: 'there is no large' } : { ...route, queue };
  };
});

async function failAll(): Promise<void> {
  while (world.waiting.length > 0) await world.fail(world.take());
}

/** More early members retry than are named of what goes the same way, and the others have not begun. */
async function retriesDue(): Promise<{ readonly engine: RunEngine; readonly driver: RunDriver }> {
  const engine = await world.engine();
  world.slots = 400;
  const driver = await world.begin(engine, wide);
  driver.configure({ ...world.settings, suspended: true });
  await failAll();
  expect(world.calls).toHaveLength(1_216);
  await world.clock.turn(1_000);
  world.slots = 10;
  driver.configure(world.settings);
  await settle();
  return { engine, driver };
}

describe('members of a map that retry on another queue', () => {
  test('make room in the one that they leave', async () => {
    world.slots = 10;
    await world.begin(await world.engine(), wide);
    for (let at = 0; at < 5; at += 1) await world.fail(world.take());
    expect(world.waiting).toHaveLength(46);
  });

  test('keep no others from theirs while that queue is not there', async () => {
    isLargeMissing = true;
    const { engine, driver } = await retriesDue();
    expect(world.waiting).toHaveLength(46);
    expect(engine.held()).toEqual(new Map([['q', 238]]));
    expect(driver.run.blocked).toMatchObject({ reason: 'NoQueue' });
    await world.workAll();
    expect(world.calls).toHaveLength(1_500);
    isLargeMissing = false;
    driver.schedule();
    await settle();
    await world.workAll(2_000);
    expect(driver.isConcluded).toBe(true);
  });

  test('nor while it has no room; each queue is told what waits for it', async () => {
    const { engine, driver } = await retriesDue();
    expect(world.waiting).toHaveLength(92);
    expect(engine.held()).toEqual(
      new Map([
        ['large', 1_170],
        ['q', 238],
      ]),
    );
    await world.workAll(2_000);
    expect(driver.isConcluded).toBe(true);
  });
});
