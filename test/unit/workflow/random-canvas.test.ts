import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomRun, type TreeRun } from '../../support/canvas/canvas-tree.ts';
import { expectPromisesKept } from '../../support/canvas/promises.ts';
import { SimulatedRun, type SimulationOptions } from '../../support/canvas/simulated-run.ts';

const options = fc.record({
  carriesErrbacks: fc.boolean(),
  isElsewhere: fc.boolean(),
  most: fc.integer({ min: 1, max: 4 }),
});

async function begun(tree: TreeRun, given: SimulationOptions): Promise<SimulatedRun> {
  const run = new SimulatedRun(tree, given);
  await run.begin();
  return run;
}

/** What may happen, by number; each gets a number of its own to choose with. */
const happenings: readonly ((run: SimulatedRun, which: number) => unknown)[] = [
  (run, which) => run.turn(which, 'never'),
  (run, which) => run.turn(which, 'never'),
  (run, which) => run.work(which),
  (run, which) => run.work(which),
  (run, which) => run.hear(which, false),
  (run, which) => run.hear(which, false),
  (run, which) => run.hear(which, true),
  (run, which) => run.turn(which, 'before the call'),
  (run, which) => run.turn(which, 'after the call'),
  (run, which) => run.work(which, true),
  (run, which) => run.takeAndDie(which, false),
  (run, which) => run.takeAndDie(which, true),
  (run, which) => run.undeadFinishes(which),
  (run, which) => run.started(which),
  (run, which) => run.findLost(which),
  (run, which) => run.sweep(which),
  (run, which) => run.answerLate(which),
  (run) => void run.hints.pop(),
  (run) => run.addOperator(),
  (run) => run.takeOver(),
];

const faults = fc.array(fc.tuple(fc.nat({ max: happenings.length - 1 }), fc.nat({ max: 1_000 })), { maxLength: 120 });

describe('a random canvas', () => {
  test('calls each task exactly once when nothing goes wrong, with the right arguments in the right order', async () => {
    await fc.assert(
      fc.asyncProperty(randomRun, options, async (tree, given) => {
        const run = await begun(tree, given);
        for (let quiet = false; !quiet;) {
          quiet = !(await run.turn(0, 'never'));
          while (run.queue.length > 0) run.work(0);
          for (; run.hints.length > 0; quiet = false) run.hear(0, false);
        }
        const { calls } = await expectPromisesKept(tree, run);
        const { executions } = run.workers;
        expect(executions.map(({ task }) => task).sort()).toEqual([...calls.keys()].sort());
        expect(executions.every(({ attempt }) => attempt === 0)).toBe(true);
      }),
      { numRuns: 400 },
    );
  }, 60_000);

  test('keeps its promises when hints are shuffled, repeated and lost, and workers and operators die', async () => {
    await fc.assert(
      fc.asyncProperty(randomRun, options, faults, async (tree, given, script) => {
        const run = await begun(tree, given);
        for (const [what, which] of script) await happenings[what]!(run, which);
        await run.settle();
        await expectPromisesKept(tree, run);
      }),
      { numRuns: 600 },
    );
  }, 60_000);

  test('sends no member once a cancel is recorded, and still comes to its end', async () => {
    await fc.assert(
      fc.asyncProperty(randomRun, options, faults, async (tree, given, script) => {
        const run = await begun(tree, given);
        for (const [what, which] of script) await happenings[what]!(run, which);
        await run.takeOver();
        await run.turn(run.operators.length - 1, 'never', true);
        await run.settle();
        const { cancelledAt, pushed } = run.store;
        const stored = await run.store.read();
        expect(stored.head.cancelled).toBe(true);
        const late = pushed.filter(({ call }) => call > cancelledAt!).map(({ message }) => run.stepOf(message));
        expect(late.filter((step) => run.plan.steps[step]?.role === 'Member')).toEqual([]);
        for (const step of run.plan.finally)
          expect(run.workers.executions.some((each) => each.step === step)).toBe(true);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
