import { Redis } from 'ioredis';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { probeQueue, type Bench } from './bench.ts';
import { successOf } from './success-of.ts';

/** A worker without a worker: it pops a message, stores a result, and notes how long the next message took. */
export type Probe = {
  /** From just before a result was sent to Redis to the arrival of the next step's message, within one run. */
  readonly gapsMs: number[];
  close(): Promise<void>;
};

export async function openProbe({ redisUrl }: Bench): Promise<Probe> {
  const [popping, storing] = [new Redis(redisUrl), new Redis(redisUrl)];
  const store = new RedisResultStore({ client: storing, openSubscriber: () => new Redis(redisUrl), prefix: '' });
  const gapsMs: number[] = [];
  let isClosed = false;
  await storing.ping();

  async function serve(): Promise<void> {
    let run = '';
    let storedMs = 0;
    while (!isClosed) {
      const popped = await popping.brpop(probeQueue, 1).catch(() => null);
      const atMs = performance.now();
      if (popped === null) continue;
      const message = decodeTaskMessage(popped[1]);
      if (!message.ok) throw new Error(`the probe got a message it cannot read: ${JSON.stringify(message.error)}`);
      const { id, rootId } = message.value;
      if (rootId === run) gapsMs.push(atMs - storedMs);
      run = rootId;
      storedMs = performance.now();
      void store.store([{ id, text: successOf(id) }]);
    }
  }
  const served = serve();
  return {
    gapsMs,
    close: async () => {
      isClosed = true;
      await served;
      popping.disconnect();
      storing.disconnect();
    },
  };
}
