import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { fail, ok } from '#core/base/result.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import { readError, decodeFailure } from '#core/workflow/failure.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import type { RunEngine } from '#operator/runs/run-engine.ts';
import type { RunLog } from '#operator/runs/run-ports.ts';
import { settle } from '../support/hand-clock.ts';
import { RunWorld, type Taken } from './run-world.ts';

/** A world whose queue Celery's workers serve: `busy` says who runs what, `uptimes` who there is. */
class CeleryWorld extends RunWorld {
  readonly busy = new Map<string, string>();
  uptimes: Readonly<Record<string, number>> = { 'celery@a': 3_600_000, 'celery@b': 3_600_000 };
  silence: string | undefined;
  asked = 0;
  readonly warnings: string[] = [];

  constructor() {
    super();
    const { router } = this;
    this.router = (task, queue) => ({ ...router(task, queue), isWatched: false, isAsked: true, carriesErrbacks: true });
    this.census = (ids) => {
      this.asked += 1;
      const holders = new Map([...this.busy].filter(([id]) => ids.has(id)));
      return {
        holders,
        workers: this.silence === undefined ? ok(new Map(Object.entries(this.uptimes))) : fail(this.silence),
      };
    };
  }

  /** A worker takes it and acknowledges at once: from now on only the worker knows of it. */
  takeEarly(nodename = 'celery@a'): Taken {
    const taken = this.take();
    this.taken.delete(taken.id);
    this.busy.set(taken.id, nodename);
    return taken;
  }

  /** The worker is done with it, and says nothing. */
  drop({ id }: Taken): void {
    this.busy.delete(id);
  }

  async started({ id }: Taken, nodename: string): Promise<void> {
    const resultText = JSON.stringify({ pid: 7, hostname: nodename }) as JsonText;
    await this.results.store([{ id, text: encodeResultMeta({ id, status: 'STARTED', resultText, dateDone: null }) }]);
    await settle();
  }

  /** An engine that has swept once. */
  async listening(): Promise<RunEngine> {
    const log: RunLog = { info: () => undefined, warn: (_fields, message) => void this.warnings.push(message) };
    const engine = await this.engine({ log });
    await this.clock.turn(5_000);
    return engine;
  }

  async begun(spec: object = { task: 'add' }): Promise<RunDriver> {
    return this.begin(await this.listening(), spec);
  }
}

/** Its workers live on, and tell so in whole seconds. */
function ageing(world: CeleryWorld): CeleryWorld['census'] {
  const { census, clock, uptimes } = world;
  return (ids) => {
    const lived = Object.entries(uptimes).map(([nodename, ms]) => [
      nodename,
      ms + Math.round(clock.nowMs() / 1e3) * 1e3,
    ]);
    world.uptimes = Object.fromEntries(lived) as Record<string, number>;
    return census(ids);
  };
}

function stateOf(driver: RunDriver): string {
  return driver.run.view.evaluation.states[0] ?? '';
}

function failureOf(driver: RunDriver): { readonly type: string; readonly message: string } {
  return readError(decodeFailure(driver.run.view.state.kept.get(0)).exc);
}

describe('a task of a Celery queue that is in no list and in no books', () => {
  test('is not judged while its worker runs it, and is asked about ever more seldom', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun();
    const taken = world.takeEarly();
    await world.clock.turn(3_600_000);
    expect(world.waiting).toEqual([]);
    expect(world.asked).toBeGreaterThan(50);
    expect(world.asked).toBeLessThan(70);
    await world.succeed(taken, 4);
    expect(stateOf(driver)).toBe('Succeeded');
  });

  test('is asked about only when it was silent for a while', async () => {
    const world = new CeleryWorld();
    await world.begun({ chain: [{ task: 'add', args: [1] }, { task: 'add' }, { task: 'add' }] });
    for (let step = 0; step < 3; step += 1) {
      const taken = world.takeEarly();
      await world.clock.turn(4_000);
      await world.succeed(taken, 1);
    }
    expect(world.asked).toBe(0);
  });

  test('runs again when its worker is gone', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun();
    const lost = world.takeEarly();
    await world.clock.turn(20_000);
    world.drop(lost);
    world.uptimes = { 'celery@b': 3_600_000 };
    await world.clock.turn(120_000);
    const again = world.takeEarly('celery@b');
    expect(again.id).not.toBe(lost.id);
    await world.succeed(again, 4);
    expect(stateOf(driver)).toBe('Succeeded');
  });

  test('runs again when another process has the name of its worker', async () => {
    const world = new CeleryWorld();
    await world.begun();
    const lost = world.takeEarly();
    await world.clock.turn(20_000);
    world.drop(lost);
    world.uptimes = { 'celery@a': 2_000, 'celery@b': 3_600_000 };
    await world.clock.turn(10_000);
    await world.clock.turn(50_000);
    expect(world.take().id).not.toBe(lost.id);
  });

  test('runs again when nobody knows who had it and workers come and go, and is given up after three times', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun();
    for (let attempt = 0; attempt <= 3; attempt += 1) {
      world.drop(world.takeEarly());
      world.uptimes = { [`celery@${attempt}`]: 1_000 };
      await world.clock.turn(20_000);
    }
    expect(world.waiting).toEqual([]);
    expect(failureOf(driver).type).toBe('WorkerLost');
  });

  test('runs again once when nobody knows who had it, and then has no result while all workers live', async () => {
    const world = new CeleryWorld();
    world.census = ageing(world);
    const driver = await world.begun();
    for (let attempt = 0; attempt <= 1; attempt += 1) {
      world.drop(world.takeEarly());
      await world.clock.turn(20_000);
    }
    expect(world.waiting).toEqual([]);
    expect(failureOf(driver)).toMatchObject({ type: 'NoResult' });
    expect(failureOf(driver).message).toContain('its worker is done with it');
  });

  test('fails with NoResult when the worker that ran it lives and is done with it', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun();
    const taken = world.takeEarly();
    await world.clock.turn(20_000);
    world.drop(taken);
    await world.clock.turn(60_000);
    expect(world.waiting).toEqual([]);
    expect(failureOf(driver)).toMatchObject({ type: 'NoResult' });
    expect(failureOf(driver).message).toContain('celery@a');
  });

  test('fails with NoResult when the worker that stored STARTED is done with it', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun({ task: 'add', linkError: [{ task: 'told' }] });
    const taken = world.takeEarly();
    await world.started(taken, 'celery@b');
    world.drop(taken);
    await world.clock.turn(30_000);
    expect(failureOf(driver)).toMatchObject({ type: 'NoResult' });
    expect(world.take().task).toBe('celery.chord_unlock');
  });

  test('is tried again after NoResult where retry.for names it', async () => {
    const world = new CeleryWorld();
    await world.begun({ task: 'add', retry: { maxRetries: 1, for: ['NoResult'], backoff: '1s' } });
    const taken = world.takeEarly();
    await world.started(taken, 'celery@b');
    world.drop(taken);
    await world.clock.turn(30_000);
    expect(world.take().id).not.toBe(taken.id);
  });

  test('runs again where it is an errback in its carrier', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun({ task: 'boom', linkError: [{ task: 'told' }] });
    await world.fail(world.take());
    const lost = world.takeEarly();
    expect(lost.task).toBe('celery.chord_unlock');
    world.drop(lost);
    await world.clock.turn(20_000);
    const again = world.take();
    expect([again.task, again.id === lost.id]).toEqual(['celery.chord_unlock', false]);
    expect(driver.run.view.evaluation.stage).toBe('Finalizing');
  });

  test('is held while not every worker answers, which is said once', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun();
    world.silence = '1 of 2 workers do not answer';
    world.drop(world.takeEarly());
    await world.clock.turn(600_000);
    expect(world.waiting).toEqual([]);
    expect(stateOf(driver)).toBe('Active');
    expect(world.warnings).toEqual(['what became of a task that is in no queue is not judged for the present']);
    world.silence = undefined;
    await world.clock.turn(30_000);
    expect(world.waiting).toHaveLength(1);
  });

  test('is held while a worker leaves that may run it, for ten minutes at most', async () => {
    const world = new CeleryWorld();
    await world.begun();
    const taken = world.takeEarly();
    await world.clock.turn(20_000);
    world.leaves('celery@a');
    world.drop(taken);
    world.uptimes = { 'celery@b': 3_600_000 };
    await world.clock.turn(590_000);
    expect(world.waiting).toEqual([]);
    await world.clock.turn(60_000);
    expect(world.waiting).toHaveLength(1);
  });

  test('is held for ten minutes at most, however often another worker leaves', async () => {
    const world = new CeleryWorld();
    await world.begun();
    world.drop(world.takeEarly());
    for (let left = 0; left < 3; left += 1) {
      world.leaves(`celery@c${left}`);
      await world.clock.turn(290_000);
    }
    expect(world.waiting).toHaveLength(1);
  });

  test('is held when who left may not have been heard, because the operator was restarted, for ten minutes at most', async () => {
    const world = new CeleryWorld();
    const before = await world.listening();
    await world.begin(before, { task: 'add' });
    const taken = world.takeEarly();
    await world.started(taken, 'celery@a');
    await world.clock.turn(20_000);
    before.close();
    world.drop(taken);
    world.uptimes = { 'celery@b': 3_600_000 };
    await world.begun();
    await world.clock.turn(590_000);
    expect(world.waiting).toEqual([]);
    await world.clock.turn(60_000);
    expect(world.waiting).toHaveLength(1);
  });

  test('is held when its worker may have left in the moment in which the operator was restarted', async () => {
    const world = new CeleryWorld();
    const before = await world.listening();
    await world.begin(before, { task: 'add' });
    world.drop(world.takeEarly());
    before.close();
    await world.clock.turn(200);
    world.uptimes = { 'celery@b': 3_600_000 };
    await world.begin(await world.engine(), { task: 'add' });
    await world.clock.turn(590_000);
    expect(world.waiting).toEqual([]);
  });

  test('runs again at once when its worker was killed that was seen to run it since the operator was restarted', async () => {
    const world = new CeleryWorld();
    const before = await world.listening();
    await world.begin(before, { task: 'add' });
    const taken = world.takeEarly();
    before.close();
    await world.begun();
    await world.clock.turn(20_000);
    world.drop(taken);
    world.uptimes = { 'celery@b': 3_600_000 };
    await world.clock.turn(60_000);
    expect(world.waiting).toHaveLength(1);
  });

  test('runs again at once when it was seen to wait since the operator was restarted', async () => {
    const world = new CeleryWorld();
    const before = await world.listening();
    await world.begin(before, { task: 'add' });
    await world.clock.turn(20_000);
    before.close();
    await world.begun();
    await world.clock.turn(20_000);
    world.drop(world.takeEarly());
    await world.clock.turn(60_000);
    expect(world.waiting).toHaveLength(1);
  });

  test('that answers while it is judged is believed', async () => {
    const world = new CeleryWorld();
    const driver = await world.begun();
    const taken = world.takeEarly();
    world.drop(taken);
    const { census } = world;
    world.census = (ids) => {
      if (world.asked === 1) void world.succeed(taken, 4);
      return census(ids);
    };
    await world.clock.turn(60_000);
    expect(world.waiting).toEqual([]);
    expect(stateOf(driver)).toBe('Succeeded');
  });

  test('is not looked for where its broker is not the one of its home', async () => {
    const world = new CeleryWorld();
    const { router } = world;
    world.router = (task, queue) => ({ ...router(task, queue), isAsked: false });
    await world.begun();
    world.drop(world.takeEarly());
    await world.clock.turn(600_000);
    expect([world.asked, world.waiting]).toEqual([0, []]);
  });
});
