import { describe, expect, test } from 'vitest';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import { settle } from '../support/hand-clock.ts';
import { seen } from './ended-run.ts';
import { RandomCanvas } from './random-written.ts';
import { ReferenceCanvas, type Written } from './reference-canvas.ts';
import { RunWorld, type Taken } from './run-world.ts';

const handlers = new Set(['linked', 'told', 'clean']);

/** Canvases of which a run is cancelled somewhere, and then run again until nothing is cancelled any more. */
class CancelledRun {
  readonly world = new RunWorld();
  /** Calls that succeeded. */
  readonly done: string[] = [];
  driver: RunDriver | undefined;
  readonly #random: RandomCanvas;

  constructor(random: RandomCanvas) {
    this.#random = random;
  }

  async run(spec: Written): Promise<void> {
    const { world } = this;
    const driver = await world.begin(await world.engine(), { ...spec, finally: [{ task: 'clean' }] });
    this.driver = driver;
    for (let round = 1; round <= 3; round += 1) {
      await this.#work(this.#random.below(12));
      await this.#configure(driver, { cancel: true });
      await this.#work(1_000);
      await this.#configure(driver, { cancel: false, retryFailed: round });
    }
    await this.#work(1_000);
  }

  /** In any order; what was asked to stop does so, or answers all the same, or is never heard of again. */
  async #work(most: number): Promise<void> {
    const { world } = this;
    for (let i = 0; i < most && world.waiting.length > 0; i += 1) {
      const [chosen = ''] = world.waiting.splice(this.#random.below(world.waiting.length), 1);
      world.waiting.unshift(chosen);
      const taken = world.take();
      if (!handlers.has(taken.task) && this.#random.chance(0.1)) await this.#stopped(taken);
      else await this.#answer(taken);
    }
  }

  async #stopped(taken: Taken): Promise<void> {
    const { driver, world } = this;
    if (driver === undefined || driver.run.view.evaluation.stage !== 'Running') return this.#answer(taken);
    await this.#configure(driver, { cancel: true });
    if (this.#random.chance(0.5)) await world.revoke(taken);
    else await world.clock.turn(31_000);
  }

  async #answer(taken: Taken): Promise<void> {
    if (taken.task === 'boom') return this.world.fail(taken);
    if (!taken.task.startsWith('told')) this.done.push(JSON.stringify([taken.task, taken.args]));
    return this.world.succeed(taken, taken.task === 'seven' ? 7 : taken.args);
  }

  async #configure(driver: RunDriver, settings: Partial<RunWorld['settings']>): Promise<void> {
    this.world.settings = { ...this.world.settings, ...settings };
    driver.configure(this.world.settings);
    await settle();
  }
}

const counted = (calls: readonly string[]): readonly string[] =>
  calls.filter((call) => !call.startsWith('["clean"')).sort();

/** What of these is not among those, each as often. */
function without(some: readonly string[], all: readonly string[]): readonly string[] {
  const left = [...all];
  return some.filter((each) => {
    const at = left.indexOf(each);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

describe('a random canvas that is cancelled and run again', () => {
  test.each(Array.from({ length: 12 }, (_, seed) => ({ seed })))(
    'ends as it would have, and what had succeeded was not called twice (seed $seed)',
    async ({ seed }) => {
      for (let i = 0; i < 20; i += 1) {
        const random = new RandomCanvas(500_000 + seed * 1_000 + i);
        const spec = random.root();
        const reference = new ReferenceCanvas();
        const want = reference.run(spec);
        const run = new CancelledRun(random);
        await run.run(spec);
        if (run.driver === undefined) throw new Error('it did not begin');
        const { root, stage, stored, trouble } = await seen(run.world, run.driver);
        const text = JSON.stringify(spec);
        expect([text, stage, trouble]).toEqual([text, 'Ended', undefined]);
        if (root === 'Cancelled') continue;
        expect([text, root]).toEqual([text, want.state]);
        if (want.state === 'Succeeded') expect([text, stored?.result]).toEqual([text, want.value]);
        const calls = reference.calls.filter(([task]) => task !== 'boom' && !task.startsWith('told'));
        const wanted = counted(calls.map((call) => JSON.stringify(call)));
        // An element whose failure does not count has ended with it, and what was cancelled beside that failure too.
        const done = counted(run.done);
        if (text.includes('Continue')) expect([text, without(done, wanted)]).toEqual([text, []]);
        else expect([text, done]).toEqual([text, wanted]);
      }
    },
  );
});
