import { setImmediate as tick } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WorkQueue } from '#operator/control/work-queue.ts';

/** A queue whose passes end when the test says so. */
function aQueue(concurrency = 10) {
  const started: string[] = [];
  const failures: { key: string; failures: number; waitMs: number }[] = [];
  const open = new Map<string, PromiseWithResolvers<undefined>>();
  const queue = new WorkQueue({
    concurrency,
    work: async (key) => {
      started.push(key);
      const pass = Promise.withResolvers<undefined>();
      open.set(key, pass);
      await pass.promise;
    },
    onFailure: (key, _error, retry) => failures.push({ key, ...retry }),
  });
  const end = async (key: string, error?: Error): Promise<void> => {
    if (error === undefined) open.get(key)!.resolve(undefined);
    else open.get(key)!.reject(error);
    await settled();
  };
  return { queue, started, failures, end };
}

/** Lets everything run that only waits for promises. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a work queue', () => {
  test('looks once at a key that was added many times while it waited', async () => {
    const { queue, started, end } = aQueue(1);
    queue.add('a');
    for (let i = 0; i < 5; i += 1) queue.add('b');
    await end('a');
    await end('b');
    await tick();
    expect(started).toEqual(['a', 'b']);
  });

  test('never works on one key twice at once, and looks again at one that was added meanwhile', async () => {
    const { queue, started, end } = aQueue();
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(started).toEqual(['a']);
    await end('a');
    expect(started).toEqual(['a', 'a']);
    await end('a');
    expect(started).toEqual(['a', 'a']);
  });

  test('works on no more keys at once than allowed', async () => {
    const { queue, started, end } = aQueue(2);
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    expect(started).toEqual(['a', 'b']);
    await end('a');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  test('a key whose pass fails comes back after a wait that doubles', async () => {
    const { queue, started, failures, end } = aQueue();
    queue.add('a');
    for (let failure = 1; failure <= 3; failure += 1) {
      await end('a', new Error('broken'));
      expect(started).toHaveLength(failure);
      vi.advanceTimersByTime(failures.at(-1)!.waitMs);
      expect(started).toHaveLength(failure + 1);
    }
    const [first, second, third] = failures.map(({ waitMs }) => waitMs) as [number, number, number];
    expect(first).toBeLessThanOrEqual(50);
    expect(second).toBeGreaterThanOrEqual(50);
    expect(third).toBeGreaterThanOrEqual(100);
  });

  test('waits at most 60 s however often a pass fails', async () => {
    const { queue, failures, end } = aQueue();
    queue.add('a');
    for (let failure = 1; failure <= 20; failure += 1) {
      await end('a', new Error('broken'));
      vi.advanceTimersByTime(failures.at(-1)!.waitMs);
    }
    expect(failures.at(-1)!.waitMs).toBeGreaterThanOrEqual(30_000);
    expect(failures.at(-1)!.waitMs).toBeLessThanOrEqual(60_000);
  });

  test('a pass that succeeds ends the row of failures', async () => {
    const { queue, failures, end } = aQueue();
    queue.add('a');
    await end('a', new Error('broken'));
    vi.advanceTimersByTime(50);
    await end('a');
    queue.add('a');
    await end('a', new Error('broken again'));
    expect(failures.map(({ failures: count }) => count)).toEqual([1, 1]);
  });

  test('waits at least as long as the server asked', async () => {
    const { queue, failures, end } = aQueue();
    queue.add('a');
    await end('a', Object.assign(new Error('slow down'), { retryAfterMs: 7_000 }));
    expect(failures.at(-1)!.waitMs).toBe(7_000);
  });

  test('of several times to look again the earliest counts', () => {
    const { queue, started } = aQueue();
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 200);
    queue.addAfter('a', 5_000);
    vi.advanceTimersByTime(199);
    expect(started).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(started).toEqual(['a']);
  });

  test('closing waits for the passes that run, and begins no other', async () => {
    const { queue, started, end } = aQueue(1);
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    let isClosed = false;
    const closing = queue.close().then(() => (isClosed = true));
    await settled();
    expect(isClosed).toBe(false);
    await end('a');
    await closing;
    vi.advanceTimersByTime(100);
    expect(started).toEqual(['a']);
  });
});
