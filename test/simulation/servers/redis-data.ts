import { prioritySeparator } from '#core/celery/queue-key.ts';
import { MemoryBroker } from '#io/brokers/memory/memory-broker.ts';
import { MemoryRunStore } from '#io/runs/memory/memory-run-store.ts';
import { FakeResults } from './fake-results.ts';

/** All keys of one Redis: the product's own stores in memory. */
export interface RedisData {
  readonly runs: MemoryRunStore;
  readonly broker: MemoryBroker;
  readonly results: FakeResults;
}

/** `pushed` is told of every message that the deciding script puts into a queue. */
export function emptyData(nowMs: () => number, pushed: (message: string) => void): RedisData {
  const broker = new MemoryBroker();
  const push = (list: string, message: string): void => {
    void broker.publish([{ ...placeOf(list), text: message }]);
    pushed(message);
  };
  return { runs: new MemoryRunStore({ push, nowMs }), broker, results: new FakeResults() };
}

/** A list's name says the queue and the priority. */
export function placeOf(list: string): { readonly queue: string; readonly priority: number } {
  const [queue = '', priority = '0'] = list.split(prioritySeparator);
  return { queue, priority: Number(priority) };
}
