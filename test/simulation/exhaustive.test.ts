import { describe, expect, test } from 'vitest';
import type { Canvas, Task } from './canvas/canvas.ts';
import { crashedAt, effectsOf, ordered, smallWorld, type Preemptions } from './exhaustive.ts';

function task(name: string, more: Partial<Task> = {}): Task {
  const bare = {
    args: [],
    kwargs: '{}',
    immutable: false,
    outcomes: ['succeeds'],
    result: '1.0',
    link: [],
    linkError: [],
  };
  return { kind: 'task', task: name, ...(bare as Omit<Task, 'kind' | 'task'>), ...more };
}

const none = { link: [], linkError: [] };
const scenarios: readonly { readonly name: string; readonly canvas: Canvas }[] = [
  {
    name: 'a chord of two, and what runs at the end',
    canvas: {
      root: { kind: 'chord', header: [task('t1'), task('t2')], body: task('t3'), ...none },
      finally: [task('t4')],
    },
  },
  {
    name: 'a chain whose second task fails once, then for good, and its errback',
    canvas: {
      root: {
        kind: 'chain',
        members: [
          task('t1'),
          task('t2', { outcomes: ['fails'], retry: { maxRetries: 1, backoffMs: 10, jitter: true } }),
          task('t3'),
        ],
        link: [],
        linkError: [task('t4')],
      },
      finally: [],
    },
  },
  {
    name: 'a map over what came in, and a task that gets the list',
    canvas: {
      root: {
        kind: 'chain',
        members: [task('t1'), { kind: 'map', each: task('t2'), over: 'input', ...none }, task('t3')],
        ...none,
      },
      finally: [],
    },
  },
];

const places = [{ isElsewhere: false }, { isElsewhere: true }];
const cases = scenarios.flatMap((scenario) => places.map((place) => ({ ...scenario, ...place })));

describe('every crash point', () => {
  test.each(cases)(
    '$name (outbox: $isElsewhere)',
    async ({ canvas, isElsewhere }) => {
      const options = smallWorld(canvas, { isElsewhere });
      const effects = await effectsOf(1, options);
      expect(effects).toBeGreaterThan(10);
      for (let effect = 1; effect <= effects; effect += 1) {
        for (const when of ['Before', 'After'] as const) {
          const { violation } = await crashedAt(1, { effect, when }, options);
          expect(violation === undefined ? '' : `crash ${when} call ${effect}: ${violation}`).toBe('');
        }
      }
    },
    600_000,
  );
});

describe('every order with at most two preemptions', () => {
  test.each(scenarios)(
    '$name',
    async ({ canvas }) => {
      const options = smallWorld(canvas);
      let runs = 0;
      const explore = async (preemptions: Preemptions): Promise<void> => {
        const { violation, choices } = await ordered(1, preemptions, options);
        runs += 1;
        expect(violation === undefined ? '' : `preempted at ${preemptions.join(', ')}: ${violation}`).toBe('');
        if (preemptions.length === 2) return;
        for (let at = (preemptions.at(-1) ?? -1) + 1; at < choices; at += 1) await explore([...preemptions, at]);
      };
      await explore([]);
      expect(runs).toBeGreaterThan(100);
    },
    1_200_000,
  );
});
