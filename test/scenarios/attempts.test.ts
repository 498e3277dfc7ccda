import { describe, expect, test } from 'vitest';
import { nullText } from '#core/base/json-text.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import { seen } from './ended-run.ts';
import { RunWorld, type Taken } from './run-world.ts';

async function begun(spec: object, world = new RunWorld()) {
  return { world, driver: await world.begin(await world.engine(), spec) };
}

/** The worker of a task is gone, and with it the message: two sweeps see that. */
async function lose(world: RunWorld, { id }: Taken): Promise<void> {
  world.taken.delete(id);
  await world.clock.turn(12_000);
}

/** Queues that were asked for, in order of their calls. */
function queuesAsked(world: RunWorld): string[] {
  const asked: string[] = [];
  const { router } = world;
  world.router = (task, queue) => {
    asked.push(queue ?? 'usual');
    return router(task, queue);
  };
  return asked;
}

describe('attempts that fail, are lost and wait too long, all in one task', () => {
  test('count each by its own bound, and only what failed goes to the other queue', async () => {
    const world = new RunWorld();
    const asked = queuesAsked(world);
    const retry = { maxRetries: 2, backoff: '1s', jitter: false, escalateTo: 'large' };
    const { driver } = await begun({ task: 'a', retry, waitLimit: '60s' }, world);
    await lose(world, world.take());
    expect(asked.at(-1)).toBe('usual');
    await world.fail(world.take());
    await world.clock.turn(1_000);
    expect(asked.at(-1)).toBe('large');
    await lose(world, world.take());
    expect(asked.at(-1)).toBe('large');
    await world.clock.turn(60_000);
    await world.clock.turn(2_000);
    const last = world.take();
    await world.fail(last, 'KeyError');
    const { root, names, status } = await seen(world, driver);
    expect([root, names]).toEqual(['Failed', ['a', 'a', 'a', 'a']]);
    expect(status.failures).toMatchObject([{ type: 'KeyError', taskId: last.id }]);
  });

  test('have an id each', async () => {
    const retry = { maxRetries: 2, backoff: '1s', jitter: false };
    const { world } = await begun({ task: 'a', retry });
    const ids = new Set<string>();
    for (let i = 0; i < 3; i += 1) {
      const taken = world.take();
      ids.add(taken.id);
      await (i === 1 ? lose(world, taken) : world.fail(taken));
      await world.clock.turn(4_000);
    }
    expect(ids.size).toBe(3);
  });

  test('onLost: Fail is for the lost alone', async () => {
    const retry = { maxRetries: 1, backoff: '1s', jitter: false, onLost: 'Fail' };
    const { world, driver } = await begun({ task: 'a', retry });
    await world.fail(world.take());
    await world.clock.turn(1_000);
    await lose(world, world.take());
    const { root, status } = await seen(world, driver);
    expect(root).toBe('Failed');
    expect(status.failures).toMatchObject([{ type: 'WorkerLost' }]);
  });

  test('what was continued after all of them leaves null', async () => {
    const retry = { maxRetries: 1, backoff: '1s', jitter: false };
    const { world, driver } = await begun({ group: [{ task: 'boom', retry, onFailure: 'Continue' }] });
    await world.workAll();
    await world.clock.turn(1_000);
    await world.workAll();
    const { names, stored } = await seen(world, driver);
    expect([names, stored?.result]).toEqual([['boom', 'boom'], [null]]);
  });
});

describe('a task that will be tried again', () => {
  test('says when, and how its last attempt ended, and the run what it waits for', async () => {
    const { world, driver } = await begun({ task: 'a', retry: { backoff: '60s', jitter: false } });
    await world.fail(world.take());
    const dueAt = new Date(world.clock.nowMs() + 60_000).toISOString();
    const waiting = await seen(world, driver);
    expect(waiting.status.steps).toMatchObject([
      { state: 'Scheduled', attempt: 1, dueAt, lastError: 'ValueError: no' },
    ]);
    expect(waiting.message).toBe(`0 of 1 tasks done; nothing is due before ${dueAt}`);
    await world.clock.turn(60_000);
    world.take();
    const [again] = (await seen(world, driver)).status.steps ?? [];
    expect(again).not.toHaveProperty('dueAt');
    expect(again).not.toHaveProperty('lastError');
  });

  test('of a countdown tells when alone', async () => {
    const { world, driver } = await begun({ task: 'a', countdown: '10s' });
    const [row] = (await seen(world, driver)).status.steps ?? [];
    expect(row).toMatchObject({ dueAt: new Date(world.clock.nowMs() + 10_000).toISOString() });
    expect(row).not.toHaveProperty('lastError');
  });

  test('the end names the handler that it waits for', async () => {
    const spec = { task: 'a', link: [{ task: 'told' }, { task: 'noted' }], finally: [{ task: 'clean' }] };
    const { world, driver } = await begun(spec);
    await world.succeed(world.take(), 1);
    expect((await seen(world, driver)).message).toBe(
      '1 of 1 tasks succeeded; waiting for spec.link[0]: task told, Queued and 1 more',
    );
    for (let i = 0; i < 2; i += 1) await world.succeed(world.take(), 1);
    expect((await seen(world, driver)).message).toContain('; waiting for spec.finally[0]: task clean, Queued');
  });
});

describe('a success that comes after all', () => {
  test('is believed, and the newer attempt is taken back from its queue', async () => {
    const { world, driver } = await begun({ chain: [{ task: 'a' }, { task: 'b' }] });
    const first = world.take();
    await lose(world, first);
    expect(world.waiting).toHaveLength(1);
    await world.succeed(first, 7);
    expect(world.waiting).toHaveLength(1);
    expect(world.take()).toMatchObject({ task: 'b', args: [7] });
    expect((await seen(world, driver)).trouble).toBeUndefined();
  });

  test('is believed, and a newer attempt that runs is asked to stop', async () => {
    const { world } = await begun({ chain: [{ task: 'a' }, { task: 'b' }] });
    const first = world.take();
    await lose(world, first);
    const second = world.take();
    await world.succeed(first, 7);
    expect([...world.revoked]).toEqual([second.id]);
    await world.succeed(second, 8);
    expect(world.take()).toMatchObject({ task: 'b', args: [7] });
  });

  test('while the next attempt waits for its backoff, ends that wait', async () => {
    const retry = { backoff: '60s', jitter: false };
    const { world, driver } = await begun({ task: 'a', retry });
    const first = world.take();
    await world.fail(first);
    await world.succeed(first, 7);
    await world.clock.turn(120_000);
    const { root, names } = await seen(world, driver);
    expect([root, names]).toEqual(['Succeeded', ['a']]);
  });
});

describe('what is too large', () => {
  const megabyte = 'x'.repeat(1024 * 1024 - 2);

  test('a result of 1 MiB goes on, a byte more fails with what to do', async () => {
    const { world, driver } = await begun({
      chain: [{ task: 'a' }, { task: 'b', onFailure: 'Continue' }, { task: 'c' }],
    });
    await world.succeed(world.take(), megabyte);
    const second = world.take();
    expect(second.args[0]).toHaveLength(megabyte.length);
    await world.succeed(second, `${megabyte}x`);
    expect(world.take()).toMatchObject({ task: 'c', args: [null] });
    expect((await seen(world, driver)).status.failures).toMatchObject([{ task: 'b', type: 'ResultTooLarge' }]);
  });

  const header = { group: Array.from({ length: 17 }, () => ({ task: 'a' })), name: 'all' };

  test.each([
    { why: 'what comes in', chain: [header, { task: 'b' }], path: 'spec.chain[1]' },
    {
      why: 'a named result',
      chain: [header, { task: 'b', immutable: true, args: [[{ $result: 'all' }]] }],
      path: 'spec.chain[1]',
    },
    {
      why: 'a named result by key',
      chain: [header, { task: 'b', immutable: true, kwargs: { k: { $result: 'all' } } }],
      path: 'spec.chain[1]',
    },
  ])('a list of more than 16 MiB is not sent: $why', async ({ chain, path }) => {
    const { world, driver } = await begun({ chain });
    for (let i = 0; i < 17; i += 1) await world.succeed(world.take(), megabyte);
    const { root, status, stage } = await seen(world, driver);
    expect([root, stage, world.waiting.length]).toEqual(['Failed', 'Ended', 0]);
    expect(status.failures).toMatchObject([{ type: 'ResultTooLarge', path }]);
  });

  describe('by what the administrator says', () => {
    const payloadLimits = { resultBytes: 2_048, listBytes: 4_096 };
    const atMost = 'x'.repeat(2_046);
    const two = { group: [{ task: 'a' }, { task: 'b' }] };

    async function begunWith(spec: object) {
      const world = new RunWorld();
      return { world, driver: await world.begin(await world.engine({ payloadLimits }), spec) };
    }

    test('a result goes on or fails, and so does the list that comes in', async () => {
      const { world, driver } = await begunWith({ group: [{ chain: [two, { task: 'c' }] }, { task: 'd' }] });
      const [a, b, d] = [world.take(), world.take(), world.take()];
      for (const taken of [a, b]) await world.succeed(taken, atMost);
      await world.succeed(d, `${atMost}x`);
      const { stage, names, status } = await seen(world, driver);
      expect([stage, names]).toEqual(['Ended', ['a', 'b', 'd']]);
      expect(status.failures).toMatchObject([
        { type: 'ResultTooLarge', path: 'spec.group[0].chain[1]' },
        { type: 'ResultTooLarge', path: 'spec.group[1]' },
      ]);
    });

    test('the final result is told or not', async () => {
      const { world, driver } = await begunWith(two);
      for (let i = 0; i < 2; i += 1) await world.succeed(world.take(), atMost);
      const { root, stored } = await seen(world, driver);
      expect(root).toBe('Succeeded');
      expect(JSON.stringify(stored)).toMatch(/ResultTooLarge.*more than 4096 bytes.*payloads\.maxListBytes/);
    });
  });

  test('as the final result it is not stored; whoever waits for it is told', async () => {
    const { world, driver } = await begun({ chain: [header] });
    for (let i = 0; i < 17; i += 1) await world.succeed(world.take(), megabyte);
    const { root, stored, trouble } = await seen(world, driver);
    expect([root, trouble]).toEqual(['Succeeded', undefined]);
    expect(stored).toMatchObject({ status: 'FAILURE', result: { exc_type: 'ResultTooLarge' } });
  });
});

test.each([
  { result: 'x'.repeat(4_094), shown: true, why: 'of 4,096 bytes' },
  { result: '本'.repeat(1_364), shown: true, why: 'of 4,094 bytes and fewer characters' },
  { result: '本'.repeat(1_365), shown: false, why: 'of 4,097 bytes and fewer characters' },
])('a final result $why is shown: $shown', async ({ result, shown }) => {
  const { world, driver } = await begun({ task: 'a' });
  await world.succeed(world.take(), result);
  expect((await seen(world, driver)).status.result).toBe(shown ? result : undefined);
});

describe('a waitLimit', () => {
  test('outlasts a broker that does not answer when it is over', async () => {
    const world = new RunWorld();
    const { broker } = world.ports();
    let isAway = true;
    const withdraw: typeof broker.withdraw = (queue, ids) =>
      isAway ? Promise.reject(new Error('away')) : broker.withdraw(queue, ids);
    const engine = await world.engine({ broker: { ...broker, withdraw } });
    const driver = await world.begin(engine, { task: 'a', waitLimit: '10s' });
    await world.clock.turn(20_000);
    isAway = false;
    await world.clock.turn(20_000);
    const { root, status } = await seen(world, driver);
    expect([root, world.waiting.length]).toEqual(['Failed', 0]);
    expect(status.failures).toMatchObject([{ type: 'WaitLimitExceeded' }]);
  });
});

test('has all of its timeLimit whenever a worker begins it anew', async () => {
  const { world, driver } = await begun({ task: 'a', timeLimit: '60s' });
  const { id } = world.take();
  for (let run = 0; run < 2; run += 1) {
    await world.results.store([
      { id, text: encodeResultMeta({ id, status: 'STARTED', resultText: nullText, dateDone: null }) },
    ]);
    await world.clock.turn(80_000);
    expect((await seen(world, driver)).root).toBe('Active');
  }
  await world.clock.turn(20_000);
  expect((await seen(world, driver)).status.failures).toMatchObject([{ type: 'TimeLimitExceeded' }]);
});
