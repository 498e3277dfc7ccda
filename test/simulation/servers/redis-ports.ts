import { BrokerUnavailable } from '#io/brokers/broker.ts';
import type { Census } from '#io/brokers/census.ts';
import {
  ResultStoreUnavailable,
  type Hearing,
  type ResultListener,
  type ResultStore,
} from '#io/results/result-store.ts';
import { RunStoreUnavailable, type BeginAnswer, type RunKey, type RunStore } from '#io/runs/run-store.ts';
import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import type { RestoreAnswer, RestoreRequest } from '#core/workflow/restore.ts';
import type { OutboxEntry, Whereabouts } from '#operator/runs/run-ports.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Link } from '../kernel/link.ts';
import type { FakeRedis } from './fake-redis.ts';
import { placeOf } from './redis-data.ts';

/** Methods of the run store that change nothing. */
const reading: ReadonlySet<string> = new Set(['read', 'registered', 'nowMs', 'revisions']);

/** Sees every change of the store as it is made, where it is made. */
export interface StoreWitness {
  took(shard: number, fence: number, client: string): void;
  began(run: RunKey): void;
  /** A run was written back. */
  restored(run: RunKey, request: RestoreRequest): void;
  /** A change is about to be made; answers its number. */
  advancing(): number;
  advanced(change: {
    readonly number: number;
    /** Who makes it. */
    readonly client: string;
    readonly run: RunKey;
    readonly request: AdvanceRequest;
    readonly answer: AdvanceAnswer;
    readonly before: StoredRun | undefined;
    readonly after: StoredRun | undefined;
  }): void;
}

/** The run store over a connection. Every method of the product's port goes through, whichever there are. */
export function linkedRunStore(
  redis: FakeRedis,
  link: Link,
  { client, witness }: { readonly client: Actor; readonly witness: StoreWitness },
): RunStore {
  const perform = async (method: string, args: unknown[]): Promise<unknown> => {
    const operate = (data: FakeRedis['data']): unknown =>
      (data.runs as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!(...args);
    if (reading.has(method)) return detached(await operate(redis.data));
    if (method === 'advance') return witnessed(redis, args as [RunKey, AdvanceRequest], { operate, witness, client });
    const answer = await redis.change(operate);
    if (method === 'takeShard') witness.took(args[0] as number, answer as number, client.name);
    if (method === 'restore' && (answer as RestoreAnswer).ok) witness.restored(...(args as [RunKey, RestoreRequest]));
    if (method === 'begin' && (answer as BeginAnswer).ok) witness.began((answer as BeginAnswer & { ok: true }).run);
    return detached(answer);
  };
  return new Proxy({} as RunStore, {
    get: (_target, method: string) => {
      if (method === 'then') return undefined;
      if (method === 'watchServer') return (onChanged: () => void) => redis.watch(client, onChanged);
      return (...args: unknown[]) => link.call(method, () => perform(method, args));
    },
  });
}

async function witnessed(
  redis: FakeRedis,
  [run, request]: [RunKey, AdvanceRequest],
  { operate, witness, client }: { operate: (data: FakeRedis['data']) => unknown; witness: StoreWitness; client: Actor },
): Promise<unknown> {
  // The store replaces what it changes: what it held before is still whole afterwards.
  const { runs } = redis.data;
  const number = witness.advancing();
  const held = runs.read(run);
  const answering = redis.change(operate) as Promise<AdvanceAnswer>;
  const holding = runs.read(run);
  const [before, answer, after] = await Promise.all([held, answering, holding]);
  witness.advanced({ number, client: client.name, run, request, answer, before, after });
  return detached(answer);
}

/** An answer that shares no bytes with the server's memory. */
function detached(answer: unknown): unknown {
  if (answer === null || typeof answer !== 'object') return answer;
  if ('slots' in answer) return detachedRun(answer as StoredRun);
  return 'stored' in answer ? { ...answer, stored: detachedRun(answer.stored as StoredRun) } : answer;
}

function detachedRun(stored: StoredRun): StoredRun {
  const { head, slots, kept, outbox } = stored;
  return { ...stored, head: { ...head }, slots: slots.slice(), kept: new Map(kept), outbox: [...outbox] };
}

export interface Subscription {
  subscribe(listener: ResultListener): Hearing;
}

/** The result store over a connection, with a subscription beside it. */
export function linkedResults(redis: FakeRedis, link: Link, subscription: Subscription): ResultStore {
  return {
    store: (writes) => link.call('store results', () => redis.change(({ results }) => results.store(writes))),
    read: (ids) => link.call('read results', () => redis.data.results.read(ids)),
    glance: (ids) => link.call('glance at results', () => redis.data.results.glance(ids)),
    hear: (listener) => subscription.subscribe(listener),
  };
}

/** Workers as remote control reaches them. */
export interface AskedWorkers {
  readonly revoke: (ids: ReadonlySet<string>) => void;
  readonly ask: (ids: ReadonlySet<string>) => Census;
}

/** Where messages are, over a connection to their broker. */
export function linkedWhereabouts(redis: FakeRedis, link: Link, { revoke, ask }: AskedWorkers): Whereabouts {
  return {
    present: (queue, ids) => link.call('find messages', () => redis.data.broker.find(queue, ids)),
    withdraw: (queue, ids) => link.call('withdraw', () => redis.change(({ broker }) => broker.withdraw(queue, ids))),
    revoke: (ids) => link.call('revoke', () => revoke(ids)),
    ask: (ids) => link.call('ask', () => ask(ids)),
    // Simulated workers leave without a word.
    hearLeaving: () => () => undefined,
    publish: (entries) =>
      link.call('publish', () => {
        redis.change(({ broker }) => void broker.publish(entries.map(publicationOf)));
        for (const { list, message } of entries) redis.onPushed(message, placeOf(list).queue);
      }),
  };
}

function publicationOf({ list, message }: OutboxEntry) {
  return { ...placeOf(list), text: message };
}

export const failures = {
  runs: (why: string) => new RunStoreUnavailable(why),
  results: (why: string) => new ResultStoreUnavailable(why),
  broker: (why: string) => new BrokerUnavailable(why),
} as const;
