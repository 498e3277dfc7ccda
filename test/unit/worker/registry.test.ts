import { describe, expect, test } from 'vitest';
import { DuplicateTask, registryOf } from '#worker/tasks/registry.ts';
import { task } from '#worker/tasks/task.ts';

const add = (x: number, y: number): number => x + y;

describe('the tasks of a worker', () => {
  test('are what its modules export as functions, by name', () => {
    class NotATask {
      readonly limit = 3;
    }
    const named = task({ name: 'math.twice', bind: true, inline: true }, (_context: unknown, x: number) => 2 * x);
    const registry = registryOf([{ name: 'tasks', exports: { add, named, NotATask, limit: 3 } }]);
    expect([...registry.values()].map(({ info }) => info)).toEqual([
      { name: 'add', inline: false, arity: 2, trackStarted: undefined },
      { name: 'math.twice', inline: true, arity: 1, trackStarted: undefined },
    ]);
  });

  test('the same function may be exported twice, two functions of one name may not', () => {
    expect(
      registryOf([
        { name: 'a', exports: { add } },
        { name: 'b', exports: { add } },
      ]).size,
    ).toBe(1);
    const other = { name: 'b', exports: { add: () => 0 } };
    expect(() => registryOf([{ name: 'a', exports: { add } }, other])).toThrow(DuplicateTask);
  });
});
