import { beforeEach, describe, expect, test } from 'vitest';
import { RunWorld } from './run-world.ts';

const retry = { maxRetries: 1, backoff: '1s', jitter: false, escalateTo: 'large' };
const wide = { map: { task: 'add', range: 1_500, retry } };

let world: RunWorld;
beforeEach(() => {
  world = new RunWorld();
  const { router } = world;
  world.router = (task, queue) => {
    const route = router(task, queue);
    return queue === 'large' ? { ...route, queue } : route;
  };
});

describe('members of a map that retry on another queue', () => {
  test('make room in the one that they leave', async () => {
    world.slots = 10;
    await world.begin(await world.engine(), wide);
    for (let at = 0; at < 5; at += 1) await world.fail(world.take());
    expect(world.waiting).toHaveLength(46);
  });
});
