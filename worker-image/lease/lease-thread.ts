import { parentPort, workerData } from 'node:worker_threads';
import { RedisLease } from '#io/brokers/redis/redis-lease.ts';
import { openRedis } from '#io/redis/open-redis.ts';
import type { FromLeaseThread, LeaseThreadData, ToLeaseThread } from './lease-message.ts';

/**
 * Renews the worker's lease and the score of its messages from a thread of its own: whatever user code does to the main
 * thread, nobody takes this worker for dead.
 */
const RENEW_EVERY_MS = 2_000;

const port = parentPort;
if (port === null) throw new Error('lease-thread is started by the worker, not by itself');

const { address, ca, prefix, incarnation, pool, slots, queues } = workerData as LeaseThreadData;
const client = openRedis({ address, ca, name: `arpeggio-lease:${incarnation}` });
const lease = new RedisLease(client, prefix, incarnation);
const held = new Set<string>();

function tell(message: FromLeaseThread): void {
  port?.postMessage(message);
}

async function renew(): Promise<void> {
  try {
    const tags = [...held];
    const missing = await lease.renew({ pool, slots, busy: held.size, queues }, tags);
    // One that was released while the answer was on its way is not gone.
    const gone = missing.filter((tag) => held.delete(tag));
    if (gone.length > 0) tell({ kind: 'Gone', tags: gone });
  } catch (error) {
    tell({ kind: 'Trouble', message: (error as Error).message });
  }
}

let isRenewing = false;

/** One at a time: a slow server is not asked twice. */
function tick(): void {
  if (isRenewing) return;
  isRenewing = true;
  void renew().finally(() => {
    isRenewing = false;
  });
}

await renew();
tell({ kind: 'Begun' });
const timer = setInterval(tick, RENEW_EVERY_MS);

port.on('message', (message: ToLeaseThread) => {
  if (message.kind === 'Took') for (const tag of message.tags) held.add(tag);
  if (message.kind === 'Released') for (const tag of message.tags) held.delete(tag);
  if (message.kind === 'End') {
    clearInterval(timer);
    void lease
      .end()
      .catch(() => undefined)
      .finally(() => {
        client.disconnect();
        port.close();
      });
  }
});
