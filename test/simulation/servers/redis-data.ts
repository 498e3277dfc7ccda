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

/** `pushed` is told of every message that the deciding script puts into a queue, and of that queue's name. */
export function emptyData(nowMs: () => number, pushed: (message: string, queue: string) => void): RedisData {
  const broker = new MemoryBroker();
  const push = (list: string, message: string): void => {
    const place = placeOf(list);
    void broker.publish([{ ...place, text: message }]);
    pushed(message, place.queue);
  };
  return { runs: new MemoryRunStore({ push, nowMs }), broker, results: new FakeResults() };
}

/** A list's name says the queue and the priority. */
export function placeOf(list: string): { readonly queue: string; readonly priority: number } {
  const [queue = '', priority = '0'] = list.split(prioritySeparator);
  return { queue, priority: Number(priority) };
}
