import { describe, expect, test } from 'vitest';
import { rootIdOf } from '#core/workflow/message.ts';
import { ReferenceCanvas, type Written } from './reference-canvas.ts';
import { RandomCanvas } from './random-written.ts';
import { RunWorld, type Taken } from './run-world.ts';

const canvases = 400;

/** As the reference has them: an errback with what failed in place of request, exception and traceback. */
function shownCall([task, args]: readonly [string, readonly unknown[]]): string {
  if (!task.startsWith('told')) return JSON.stringify([task, args]);
  const [first, ...more] = args;
  if (Array.isArray(first)) return JSON.stringify([task, args]);
  const { task: failed, args: called } = first as { task: string; args: unknown[] };
  return JSON.stringify([task, [[failed, called], ...more.slice(2)]]);
}

async function answer(world: RunWorld, taken: Taken): Promise<void> {
  if (taken.task === 'boom') await world.fail(taken);
  else await world.succeed(taken, taken.task === 'seven' ? 7 : taken.args);
}

/** Work is done in any order, now and then under another operator. */
async function ran(spec: Written, random: RandomCanvas): Promise<{ root: string; value: unknown; calls: string[] }> {
  const world = new RunWorld();
  let engine = await world.engine();
  let driver = await world.begin(engine, spec);
  for (let most = 0; world.waiting.length > 0 && most < 3_000; most += 1) {
    const [chosen] = world.waiting.splice(random.below(world.waiting.length), 1);
    world.waiting.unshift(chosen ?? '');
    await answer(world, world.take());
    if (random.chance(0.05)) {
      engine.close();
      engine = await world.engine();
      driver = await world.begin(engine, spec);
    }
  }
  const { evaluation } = driver.run.view;
  expect(evaluation.stage).toBe('Ended');
  const [text] = await world.results.read([rootIdOf(driver.run.identity)]);
  const stored = JSON.parse(text ?? '{}') as { result: unknown };
  return { root: evaluation.states[0] ?? '', value: stored.result, calls: world.called.map(shownCall).sort() };
}

describe('a random canvas', () => {
  test.each(Array.from({ length: canvases / 20 }, (_, seed) => ({ seed })))(
    'calls what the documentation says, each as often, and gives its value (seed $seed)',
    async ({ seed }) => {
      for (let i = 0; i < 20; i += 1) {
        const random = new RandomCanvas(seed * 1_000 + i);
        const spec = random.root();
        const reference = new ReferenceCanvas();
        const want = reference.run(spec);
        const got = await ran(spec, random);
        const text = JSON.stringify(spec);
        expect([text, got.root]).toEqual([text, want.state]);
        if (want.state === 'Succeeded') expect([text, got.value]).toEqual([text, want.value]);
        expect([text, got.calls]).toEqual([text, reference.calls.map(shownCall).sort()]);
      }
    },
  );
});
