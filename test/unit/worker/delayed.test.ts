import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { isoOf } from '#core/base/iso-date.ts';
import { MemoryBroker } from '#io/brokers/memory/memory-broker.ts';
import { MemoryConsumer } from '#io/brokers/memory/memory-consumer.ts';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { systemClock } from '#io/system-clock.ts';
import { Delayed } from '#worker/runtime/delayed.ts';
import { InlineRunner } from '#worker/runtime/inline-runner.ts';
import { TaskWorker } from '#worker/runtime/worker.ts';
import { registryOf } from '#worker/tasks/registry.ts';
import { HandClock } from '../../support/hand-clock.ts';

function held(bounds: { most: number; mostText: number }) {
  const clock = new HandClock();
  const startMs = clock.nowMs();
  const delayed = new Delayed(bounds, {
    nowMs: () => clock.nowMs(),
    after: (delayMs, call) => clock.after(delayMs, call),
  });
  const due: string[] = [];
  const hold = (id: string, afterMs: number, text = 'x'): string[] => {
    const delivery = { tag: id, queue: 'q', text };
    return delayed.hold({ id, delivery, dueMs: startMs + afterMs }, ({ tag }) => due.push(tag)).map(({ tag }) => tag);
  };
  return { clock, delayed, due, hold };
}

describe('messages that wait for their eta', () => {
  test('come when they are due', async () => {
    const { clock, due, hold, delayed } = held({ most: 9, mostText: 99 });
    for (const [id, ms] of [
      ['b', 200],
      ['a', 100],
      ['c', 40 * 86_400_000],
    ] as const)
      hold(id, ms);
    await clock.turn(150);
    expect(due).toEqual(['a']);
    await clock.turn(86_400_000);
    expect(due).toEqual(['a', 'b']);
    await clock.turn(40 * 86_400_000);
    expect(due).toEqual(['a', 'b', 'c']);
    expect(delayed.held).toEqual([]);
  });

  test('are held as far as there is room, those that are due first', () => {
    const { hold, delayed } = held({ most: 2, mostText: 99 });
    expect([hold('late', 300), hold('later', 400)]).toEqual([[], []]);
    expect(hold('latest', 500)).toEqual(['latest']);
    expect(hold('soon', 100)).toEqual(['later']);
    expect(hold('soon2', 120)).toEqual(['late']);
    expect(hold('late2', 130)).toEqual(['late2']);
    expect(delayed.held.map(({ id }) => id)).toEqual(['soon', 'soon2']);
    delayed.release(({ id }) => id === 'soon');
    expect(hold('late3', 900)).toEqual([]);
  });

  test('take room by their length, but one always has it', () => {
    const { hold, delayed } = held({ most: 9, mostText: 10 });
    expect(hold('huge', 300, 'x'.repeat(50))).toEqual([]);
    expect(hold('small', 100, 'xx')).toEqual(['huge']);
    expect(hold('small2', 200, 'xxxxxxxx')).toEqual([]);
    expect(hold('small3', 300, 'x')).toEqual(['small3']);
    expect(delayed.held.map(({ id }) => id)).toEqual(['small', 'small2']);
  });

  test('without room stay in their queue, and hold up nothing that lies behind them', async () => {
    const [broker, results] = [new MemoryBroker(), new MemoryResultStore()];
    const ran: string[] = [];
    const tasks = registryOf([{ name: 'tasks', exports: { note: (id: string) => void ran.push(id) } }]);
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const inline = new InlineRunner(tasks);
    const chords = {
      expect: () => Promise.resolve(),
      report: () => Promise.resolve(undefined),
      entries: () => Promise.resolve([]),
      finish: () => Promise.resolve(),
    };
    let most = 0;
    let inHands = 0;
    const lease = {
      took: (tags: readonly string[]) => {
        inHands += tags.length;
        most = Math.max(most, worker.delayed.held.length);
      },
      released: (tags: readonly string[]) => void (inHands -= tags.length),
    };
    const infos = new Map([...tasks].map(([name, { info }]) => [name, { ...info, inline: true }]));
    let last = 0;
    const worker: TaskWorker = new TaskWorker(
      {
        consumer: new MemoryConsumer({ broker, results, queues: ['q'], podUid: 'pod' }),
        results,
        chords,
        lease,
        threads: inline,
        inline,
        tasks: infos,
        log,
        ...systemClock,
        newId: () => `n${(last += 1)}`,
      },
      { queues: ['q'], concurrency: 2, hostname: 'w@h', trackStarted: false, delayed: { most: 3, mostText: 9_999 } },
    );
    const ids = Array.from({ length: 1_540 }, (_each, index) =>
      index < 30 ? `eta${index}` : index < 1_530 ? `far${index}` : `now${index}`,
    );
    const startMs = Date.now();
    await broker.publish(
      ids.map((id, index) => {
        const etaMs = id.startsWith('far') ? startMs + 3_600_000 : startMs + 4_000 + index * 10;
        const eta = id.startsWith('now') ? null : isoOf(etaMs);
        const [argsText, kwargsText] = [JSON.stringify([id]) as JsonText, '{}' as JsonText];
        return {
          queue: 'q',
          priority: 0,
          text: encodeTaskMessage({ id, task: 'note', argsText, kwargsText, eta, queue: 'q', deliveryTag: id }),
        };
      }),
    );
    worker.start();
    await expect.poll(() => ran.length).toBe(40);
    expect(ran.slice(0, 10).every((id) => id.startsWith('now'))).toBe(true);
    expect(new Set(ran).size).toBe(40);
    expect(most).toBeLessThanOrEqual(3);
    expect(await worker.drain(1_000)).toBe(true);
    expect([inHands, await broker.holdings()]).toEqual([0, []]);
    expect((await broker.waiting(['q'])).get('q')).toBe(1_500);
  });
});
