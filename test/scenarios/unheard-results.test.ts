import { describe, expect, test } from 'vitest';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { JsonText } from '#core/base/json-text.ts';
import type { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { settle } from '../support/hand-clock.ts';
import { seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

const seenBytes = 256 * 1024;
const large = 'x'.repeat(4096);
/** More than there is room for, with the last part that is read although there is hardly any room. */
const members = 100;
const wide = { map: { task: 'a', range: { stop: members } } };
const other = 'bbbbbbbb-bbbb-4000-8000-000000000000';

const stage = ({ run }: RunDriver): string => run.view.evaluation.stage;

/** The results of a world, and what is read of them, in characters. */
function watched(world: RunWorld): { readonly results: MemoryResultStore; readonly read: number[] } {
  const read: number[] = [];
  const results = Object.create(world.results) as MemoryResultStore;
  results.store = world.results.store.bind(world.results);
  results.glance = world.results.glance.bind(world.results);
  results.hear = world.results.hear.bind(world.results);
  results.read = async (ids) => {
    const texts = await world.results.read(ids);
    for (const text of texts) if (text !== undefined) read.push(text.length);
    return texts;
  };
  return { results, read };
}

/** Nobody decides on anything of these runs until the returned function is called. */
function holdBack(world: RunWorld, uid?: string): () => void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const advance = world.store.advance.bind(world.store);
  world.store.advance = async (run, request) => {
    if (uid === undefined || run.uid === uid) await promise;
    return advance(run, request);
  };
  return () => resolve(undefined);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

describe('results that nobody decides on yet', () => {
  test('stay in the store beyond a bound, and are fetched when there is room', async () => {
    const world = new RunWorld();
    const first = await world.engine();
    await world.begin(first, wide);
    first.close();
    while (world.waiting.length > 0) await world.succeed(world.take(), large);
    const { results, read } = watched(world);
    const goOn = holdBack(world);
    const driver = await world.begin(await world.engine({ results, seenBytes }), wide);
    await world.clock.turn(1_000);
    expect(sum(read)).toBeGreaterThanOrEqual(seenBytes);
    expect(sum(read)).toBeLessThan(seenBytes * 1.2);
    goOn();
    await world.clock.turn(1_000);
    expect(stage(driver)).toBe('Ended');
    expect(read.length).toBeLessThan(members + 10);
  });

  test('are not taken from hints either; a sweep finds them', async () => {
    const world = new RunWorld();
    const { results, read } = watched(world);
    const driver = await world.begin(await world.engine({ results, seenBytes }), wide);
    const goOn = holdBack(world);
    while (world.waiting.length > 0) await world.succeed(world.take(), large);
    expect(read).toEqual([]);
    goOn();
    await world.clock.turn(6_000);
    expect(stage(driver)).toBe('Ended');
    expect(read.length).toBeGreaterThan(20);
  });

  test('of a run that stands still make room for those of others', async () => {
    const world = new RunWorld();
    const { results } = watched(world);
    const engine = await world.engine({ results, seenBytes });
    const stuck = await world.begin(engine, wide);
    const stuckIds = Array.from({ length: members }, () => world.take());
    const driver = await world.begin(engine, { task: 'b' }, other);
    const last = world.take();
    const advance = world.store.advance.bind(world.store);
    world.store.advance = (run, request) =>
      run.uid === stuck.run.key.uid ? Promise.reject(new Error('refused')) : advance(run, request);
    for (const each of stuckIds) await world.succeed(each, large);
    await world.succeed(last, 1);
    await world.clock.turn(6_000);
    expect([stage(stuck), stage(driver)]).toEqual(['Running', 'Ended']);
    world.store.advance = advance;
    await world.clock.turn(20_000);
    expect(stage(stuck)).toBe('Ended');
  });

  test('of a run that was stopped take up nothing', async () => {
    const world = new RunWorld();
    const engine = await world.engine({ seenBytes });
    const stopped = await world.begin(engine, wide);
    const ids = Array.from({ length: members }, () => world.take());
    stopped.stop({ reason: 'SpecChanged', message: 'for a test' });
    for (const each of ids) await world.succeed(each, large);
    const driver = await world.begin(engine, { task: 'b' }, other);
    await world.succeed(world.take(), 1);
    // No sweep was needed: the hint found room.
    expect(stage(driver)).toBe('Ended');
  });

  test('of a run that has ended take up nothing', async () => {
    const world = new RunWorld();
    const engine = await world.engine({ seenBytes });
    const over = await world.begin(engine, wide);
    await world.workAll();
    await engine.end(over);
    // A sweep that was under way found them.
    const result = JSON.stringify(large) as JsonText;
    for (let member = 0; member < members; member += 1) {
      over.see({ step: 0, member, attempt: 0, seen: 'Succeeded', result });
    }
    const driver = await world.begin(engine, { task: 'b' }, other);
    await world.succeed(world.take(), 1);
    expect(stage(driver)).toBe('Ended');
  });
});

const megabyte = 'x'.repeat(1024 * 1024 - 2);

describe('a result beyond what a run keeps', () => {
  test('is judged by its length and never fetched', async () => {
    const world = new RunWorld();
    const first = await world.engine();
    await world.begin(first, { chain: [{ task: 'a', onFailure: 'Continue' }, { task: 'b' }] });
    first.close();
    await world.succeed(world.take(), `${megabyte}x`);
    const { results, read } = watched(world);
    const driver = await world.begin(await world.engine({ results, seenBytes }), {
      chain: [{ task: 'a', onFailure: 'Continue' }, { task: 'b' }],
    });
    await world.clock.turn(1_000);
    expect(read).toEqual([]);
    const [failure] = (await seen(world, driver)).status.failures ?? [];
    expect(failure).toMatchObject({ task: 'a', type: 'ResultTooLarge' });
    expect(failure?.message).toContain(`is ${1024 * 1024 + 1} bytes`);
    expect(world.take()).toMatchObject({ task: 'b', args: [null] });
  });

  test('is fetched where its length does not tell, as with many children', async () => {
    const world = new RunWorld();
    const first = await world.engine();
    await world.begin(first, { task: 'a' });
    first.close();
    const { id } = world.take();
    const children = [JSON.stringify(megabyte) as JsonText];
    const text = encodeResultMeta({ id, status: 'SUCCESS', resultText: '1' as JsonText, children, dateDone: null });
    await world.results.store([{ id, text }]);
    const { results, read } = watched(world);
    const driver = await world.begin(await world.engine({ results, seenBytes }), { task: 'a' });
    await world.clock.turn(1_000);
    await settle();
    expect([stage(driver), driver.run.view.evaluation.states[0], read[0]]).toEqual(['Ended', 'Succeeded', text.length]);
  });
});
