import type { Redis } from 'ioredis';
import { shardOf } from '#core/base/task-id.ts';
import { parseRedisAddress } from '#core/resources/redis-address.ts';
import { openRedis } from '#io/redis/open-redis.ts';
import { MemoryRunStore } from '#io/runs/memory/memory-run-store.ts';
import { RedisRunStore } from '#io/runs/redis/redis-run-store.ts';
import { RunKeys } from '#io/runs/run-keys.ts';
import type { RunKey, RunStore } from '#io/runs/run-store.ts';

/** A run store under test, with what lies beside it. */
export interface OpenRunStore {
  readonly store: RunStore;
  /** The same store, over a connection of its own where it has any. */
  readonly another: RunStore;
  /** Messages of a list in the order in which a worker takes them. */
  readonly pushed: (list: string) => Promise<readonly string[]>;
  /** What the run holds back from a queue. */
  readonly held: (run: RunKey, queue: string) => Promise<number>;
  /** Forgets everything of a run. */
  readonly lose: (run: RunKey) => Promise<void>;
  /** Forgets of a run what its tasks came to, as far as the store has that by itself. */
  readonly loseSlots: (run: RunKey) => Promise<void>;
  /** Forgets everything of every run, fences and registry included. */
  readonly wipe: () => Promise<void>;
}

export function openMemoryRunStore(): OpenRunStore {
  const lists = new Map<string, string[]>();
  const store = new MemoryRunStore({
    push: (list, message) => void lists.set(list, [...(lists.get(list) ?? []), message]),
    nowMs: Date.now,
  });
  return {
    store,
    another: store,
    pushed: (list) => Promise.resolve(lists.get(list) ?? []),
    held: ({ uid, run48 }, queue) => Promise.resolve(store.held(uid, run48, queue)),
    lose: ({ uid }) => {
      store.lose(uid);
      return Promise.resolve();
    },
    loseSlots: ({ uid }) => {
      store.lose(uid);
      return Promise.resolve();
    },
    wipe: () => {
      store.revert();
      return Promise.resolve();
    },
  };
}

/** A client as the operator opens it; the caller disconnects it. */
export function redisClient(url: string, db = 0): Redis {
  const address = parseRedisAddress(url.replace(/\/\d+$/, `/${db}`));
  if (!address.ok) throw new Error(address.error);
  return openRedis({ address: address.value, name: 'arpeggio-test' });
}

export function openRedisRunStore(client: Redis, prefix: string, another = client): OpenRunStore {
  const keys = new RunKeys(prefix);
  return {
    store: new RedisRunStore({ client, prefix }),
    another: new RedisRunStore({ client: another, prefix }),
    pushed: async (list) => (await client.lrange(list, 0, -1)).reverse(),
    held: async ({ uid, run48 }, queue) => Number((await client.hget(keys.ledger(shardOf(run48), queue), uid)) ?? 0),
    lose: async ({ uid }) => {
      await client.del(keys.head(uid), keys.slots(uid), keys.kept(uid), keys.outbox(uid));
    },
    loseSlots: async ({ uid }) => {
      await client.del(keys.slots(uid));
    },
    wipe: async () => {
      await client.flushall();
    },
  };
}
