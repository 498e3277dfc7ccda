import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globsOverlap, matchesGlob } from '#core/routing/glob.ts';
import { findRouteConflict } from '#core/routing/route-conflicts.ts';
import { buildRouteTable, resolveQueue, type RoutedQueue } from '#core/routing/route-table.ts';

function aQueue(name: string, ...routes: string[]): RoutedQueue {
  return { name, queueName: `${name}-wire`, connection: 'arpeggio', routes };
}

describe('a task goes', () => {
  test.each([
    { why: 'to the queue that it names', queues: [aQueue('a', 'x'), aQueue('b')], wish: { queue: 'b' }, want: 'b' },
    { why: 'to the queue that lists its name', queues: [aQueue('a', 'x'), aQueue('b')], wish: {}, want: 'a' },
    { why: 'to an exact name before a glob', queues: [aQueue('a', 'x*'), aQueue('b', 'x')], wish: {}, want: 'b' },
    {
      why: 'to the glob that says more at its beginning',
      queues: [aQueue('a', '*'), aQueue('b', 'x*')],
      wish: {},
      want: 'b',
    },
    { why: 'to a queue that claims it twice', queues: [aQueue('a', 'x*', 'x?*', 'x')], wish: {}, want: 'a' },
    {
      why: 'by its route before the default of the run',
      queues: [aQueue('a', 'x'), aQueue('b')],
      wish: { defaultQueue: 'b' },
      want: 'a',
    },
    {
      why: 'to the default of the run when nothing routes it',
      queues: [aQueue('a', 'y'), aQueue('b')],
      wish: { defaultQueue: 'b' },
      want: 'b',
    },
    {
      why: 'to the TaskQueue "default" when all else is silent',
      queues: [aQueue('a', 'y'), aQueue('default')],
      wish: {},
      want: 'default',
    },
    {
      why: 'nowhere when it names a queue that is not there',
      queues: [aQueue('a', 'x')],
      wish: { queue: 'z' },
      want: 'NoQueue',
    },
    { why: 'nowhere when no queue takes it', queues: [aQueue('a', 'y')], wish: {}, want: 'NoQueue' },
    {
      why: 'nowhere when two queues list its name',
      queues: [aQueue('a', 'x'), aQueue('b', 'x')],
      wish: {},
      want: 'RouteConflict',
    },
    {
      why: 'nowhere when two globs fit equally well',
      queues: [aQueue('a', 'x*'), aQueue('b', 'x*')],
      wish: {},
      want: 'RouteConflict',
    },
    {
      why: 'to the queue it names even if routes clash',
      queues: [aQueue('a', 'x'), aQueue('b', 'x')],
      wish: { queue: 'b' },
      want: 'b',
    },
  ])('$why', ({ queues, wish, want }) => {
    const found = resolveQueue(buildRouteTable(queues), { task: 'x', ...wish });
    expect(found.ok ? found.value.name : found.error.reason).toBe(want);
  });

  test('nowhere with a message that names the task and both queues', () => {
    const found = resolveQueue(buildRouteTable([aQueue('a', 'x'), aQueue('b', 'x')]), { task: 'x' });
    expect(found).toMatchObject({
      error: { message: expect.stringMatching(/a and b claim task x equally/) as string },
    });
  });
});

describe('a glob', () => {
  test.each([
    ['proj.*', 'proj.add', true],
    ['proj.*', 'proj', false],
    ['*.add', 'proj.tasks.add', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a*b*c', 'axxbyybzzc', true],
    ['a*b*c', 'axxbyybzz', false],
    ['a.b', 'axb', false],
    ['*', '', true],
  ])('%s fits %s: %s', (pattern, text, want) => {
    expect(matchesGlob(pattern, text)).toBe(want);
  });

  test('with many stars is judged in no time', () => {
    expect(matchesGlob('*a'.repeat(120), 'a'.repeat(119))).toBe(false);
  });

  test('overlaps another exactly when a text fits both', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 4 });
    const texts = ['', ...['a', 'b'].flatMap((x) => grow(x, 6))];
    fc.assert(
      fc.property(glob, glob, (one, other) => {
        expect(globsOverlap(one, other)).toBe(texts.some((text) => matchesGlob(one, text) && matchesGlob(other, text)));
      }),
      { numRuns: 300 },
    );
  });
});

/** All texts over a and b that begin so, up to a length. */
function grow(text: string, length: number): string[] {
  return text.length >= length ? [text] : [text, ...grow(`${text}a`, length), ...grow(`${text}b`, length)];
}

describe('two queues clash', () => {
  test.each([
    { why: 'over the same name', routes: ['x'], others: ['x'], want: true },
    { why: 'over the same glob', routes: ['x*'], others: ['x*'], want: true },
    { why: 'over different globs that fit a common task equally', routes: ['x*a'], others: ['x*b*'], want: true },
    { why: 'not over a glob and a name', routes: ['x*'], others: ['xy'], want: false },
    { why: 'not over globs of which one says more', routes: ['x*'], others: ['xy*'], want: false },
    { why: 'not over globs without a common task', routes: ['x?'], others: ['x??'], want: false },
  ])('$why', ({ routes, others, want }) => {
    const conflict = findRouteConflict(aQueue('a', ...routes), [aQueue('a', ...routes), aQueue('b', ...others)]);
    expect(conflict !== undefined).toBe(want);
  });
});
