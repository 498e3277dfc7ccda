import { describe, expect, test } from 'vitest';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { settle } from '../support/hand-clock.ts';
import { ran, seen } from './ended-run.ts';
import { RunWorld } from './run-world.ts';

const one = { task: 'add', args: [1], immutable: true };

/** An element in so many others, of all kinds in turn; what it is worth is in as many lists as there are groups. */
function nested(inner: object, levels: number): { spec: object; lists: number } {
  let spec = inner;
  let lists = 0;
  for (let level = 0; level < levels; level += 1) {
    const kind = level % 3;
    if (kind === 0) spec = { group: [spec] };
    else if (kind === 1) spec = { chain: [spec] };
    else spec = { chord: { header: [{ group: [] }], body: spec } };
    if (kind === 0) lists += 1;
  }
  return { spec, lists };
}

function inLists(value: unknown, lists: number): unknown {
  return Array.from({ length: lists }).reduce((inner) => [inner], value);
}

describe('elements within elements', () => {
  test('16 deep, of every kind', async () => {
    const { spec, lists } = nested(one, 15);
    const { root, stored } = await ran(spec);
    expect([root, stored?.result]).toEqual(['Succeeded', inLists(1, lists)]);
  });

  test('16 deep, and what fails at the bottom fails the top', async () => {
    const { spec } = nested({ task: 'boom' }, 15);
    const { root, stage, message } = await ran({ ...spec, linkError: [{ task: 'told' }] });
    expect([root, stage]).toEqual(['Failed', 'Ended']);
    expect(message).toContain('task boom failed with ValueError');
  });

  test('17 deep is refused', async () => {
    await expect(ran(nested(one, 17).spec)).rejects.toThrow(/16/);
  });

  test.each([
    {
      why: 'a map in a chain in a group in the body of a chord',
      spec: {
        chord: {
          header: [one, { group: [one, one] }],
          body: { group: [{ chain: [{ map: { task: 'add' } }, { task: 'add' }] }, { task: 'add' }] },
        },
      },
      want: [3, 3],
    },
    {
      why: 'a chord whose header ends in a group',
      spec: { chain: [{ chord: { header: [one, { group: [one, one] }], body: { chain: [] } } }] },
      want: [1, [1, 1]],
    },
    {
      why: 'chains of chains',
      spec: { chain: [{ chain: [{ chain: [one] }, { chain: [] }] }, { chain: [] }] },
      want: 1,
    },
    { why: 'an empty group in a chain', spec: { chain: [one, { group: [] }, { task: 'add', args: [5] }] }, want: 5 },
    { why: 'an empty map in a chain', spec: { chain: [one, { map: { task: 'add', over: [] } }] }, want: [] },
    { why: 'an empty header', spec: { chord: { header: [], body: { task: 'add', args: [5] } } }, want: 5 },
    {
      why: 'an empty chain as a member',
      spec: { chain: [one, { group: [{ chain: [] }, { group: [] }] }] },
      want: [1, []],
    },
    {
      why: 'nothing but what is empty',
      spec: { group: [{ group: [] }, { chain: [] }, { map: { task: 'a', over: [] } }] },
      want: [[], null, []],
    },
    { why: 'a group of one in a group of one', spec: { group: [{ group: [one] }] }, want: [[1]] },
    {
      why: 'empty elements with callbacks, conditions and failures that do not count',
      spec: {
        chain: [
          one,
          { group: [], link: [{ task: 'linked' }], when: 'result == 1', onFailure: 'Continue' },
          { map: { task: 'a' }, link: [{ task: 'linked' }], when: 'size(result) == 0' },
          { chain: [], linkError: [{ task: 'told' }] },
        ],
      },
      want: [],
    },
  ])('$why', async ({ spec, want }) => {
    const { root, stage, stored, names } = await ran(spec);
    expect([root, stage, stored?.result]).toEqual(['Succeeded', 'Ended', want]);
    expect(names).not.toContain('told');
  });
});

describe('a map of 100,000', () => {
  const members = 100_000;

  /** All that waits is answered at once, as by a thousand workers: every 10,000th has failed. */
  async function answerAll(world: RunWorld, answered: { count: number }): Promise<void> {
    const batch = world.waiting.splice(0).map((raw) => /"id": ?"([0-9a-f-]{36})"/.exec(raw)?.[1] ?? '');
    const failure = '{"exc_type": "ValueError", "exc_message": ["no"], "exc_module": "builtins"}';
    await world.results.store(
      batch.map((id) => {
        answered.count += 1;
        const fails = answered.count % 10_000 === 0;
        const resultText = (fails ? failure : '1') as JsonText;
        return {
          id,
          text: encodeResultMeta({ id, status: fails ? 'FAILURE' : 'SUCCESS', resultText, dateDone: null }),
        };
      }),
    );
    await settle(10);
  }

  test('runs each once, tells which failed, and runs those again', async () => {
    const world = new RunWorld();
    world.slots = 5_000;
    const driver = await world.begin(await world.engine(), { map: { task: 'add', range: members } });
    const answered = { count: 0 };
    for (let i = 0; i < 2_000 && driver.run.view.evaluation.stage !== 'Ended'; i += 1) {
      await answerAll(world, answered);
      await world.clock.turn(10);
    }
    expect(answered.count).toBe(members);
    const { root, status } = await seen(world, driver);
    expect([root, status.failed, status.progress]).toEqual(['Failed', 10, '100000/100000']);
    expect(JSON.stringify(status).length).toBeLessThan(64 * 1024);
    driver.configure({ ...world.settings, retryFailed: 1 });
    for (let i = 0; i < 100 && world.waiting.length < 10; i += 1) await world.clock.turn(10);
    expect(world.waiting).toHaveLength(10);
    answered.count = 0;
    await answerAll(world, answered);
    for (let i = 0; i < 100 && driver.run.view.evaluation.stage !== 'Ended'; i += 1) await world.clock.turn(10);
    const again = await seen(world, driver);
    expect(again.root).toBe('Succeeded');
    expect(again.stored?.result).toHaveLength(members);
  });
});
