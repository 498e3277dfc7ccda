import { describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import { MemoryBroker } from '#io/brokers/memory/memory-broker.ts';
import { MemoryConsumer } from '#io/brokers/memory/memory-consumer.ts';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { systemClock } from '#io/system-clock.ts';
import { InlineRunner } from '#worker/runtime/inline-runner.ts';
import { TaskWorker } from '#worker/runtime/worker.ts';

/** Counts what it claims, and is heard by remote control when the test says so. */
class LateConsumer extends MemoryConsumer {
  readonly heard = Promise.withResolvers<undefined>();
  claims = 0;

  override async obey(): Promise<void> {
    await this.heard.promise;
  }

  override claim(most: number): ReturnType<MemoryConsumer['claim']> {
    this.claims += 1;
    return super.claim(most);
  }
}

async function started() {
  const [broker, results] = [new MemoryBroker(), new MemoryResultStore()];
  const consumer = new LateConsumer({ broker, results, podUid: 'pod', queues: ['q'] });
  const inline = new InlineRunner(new Map());
  const nothing = (): void => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const lease = { took: nothing, released: nothing };
  const chords = {
    expect: () => Promise.resolve(),
    report: () => Promise.resolve(undefined),
    entries: () => Promise.resolve([]),
    finish: () => Promise.resolve(),
  };
  const ports = { consumer, results, chords, lease, threads: inline, inline, tasks: new Map(), log };
  const worker = new TaskWorker(
    { ...ports, ...systemClock, newId: () => 'n' },
    { queues: ['q'], concurrency: 1, hostname: 'w@h', trackStarted: false },
  );
  const [argsText, kwargsText] = ['[]' as JsonText, '{}' as JsonText];
  const text = encodeTaskMessage({ id: 'a', task: 'gone', argsText, kwargsText, queue: 'q', deliveryTag: 'a' });
  await broker.publish([{ queue: 'q', priority: 0, text }]);
  worker.start();
  return { worker, consumer, broker };
}

describe('a worker that starts', () => {
  test('takes nothing before it hears what is revoked', async () => {
    const { worker, consumer, broker } = await started();
    await new Promise((resolve) => setImmediate(resolve));
    expect([consumer.claims, (await broker.waiting(['q'])).get('q')]).toEqual([0, 1]);
    consumer.heard.resolve(undefined);
    await expect.poll(() => consumer.claims).toBeGreaterThan(0);
    await worker.drain(1_000);
  });

  test('takes tasks although it may not listen', async () => {
    const { worker, consumer } = await started();
    consumer.heard.reject(new Error('this user has no permissions to access one of the channels'));
    await expect.poll(() => consumer.claims).toBeGreaterThan(0);
    await worker.drain(1_000);
  });

  test('ends when it is told to before it was heard', async () => {
    const { worker, consumer } = await started();
    expect(await worker.drain(1_000)).toBe(true);
    expect(consumer.claims).toBe(0);
  });
});
