import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import type { AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import { slotStates, type SlotState } from '#core/workflow/slots.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { openMemoryRunStore, openRedisRunStore, redisClient, type OpenRunStore } from '../support/run-stores.ts';
import { shard } from '../support/run-requests.ts';

let redis: RunningRedis;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  client = redisClient(redis.url);
});

afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

/** The first three begin with the same 48 bits. */
const uids = [
  'ab000000-0001-4000-8000',
  'ab000000-0001-4001-8000',
  'ab000000-0001-4002-8000',
  'abffffff-ffff-4000-8000',
].map((start) => `${start}-000000000000`);

const step = fc.nat({ max: 6 });
const slotOf = fc.record({
  state: fc.constantFrom(...(Object.keys(slotStates) as SlotState[])),
  lost: fc.nat({ max: 15 }),
  carried: fc.boolean(),
  attempt: fc.nat({ max: 0xffff }),
  atSeconds: fc.nat({ max: 0xffffffff }),
});
const text = fc.constantFrom('1.0', 'NaN', '"ü😀\\u0000"', '{"a" : [1e400]}', '""').map((each) => each as JsonText);
const list = fc.constantFrom('a', 'b');
const dispatch = fc.oneof(
  fc.record({ by: fc.constant('Push' as const), db: fc.constant(0), list, bell: fc.constant('bell'), message: text }),
  fc.record({ by: fc.constant('Outbox' as const), entry: text }),
  fc.constant({ by: 'Hold' } as const),
);
const record = fc.record({ step, slot: slotOf, keep: text }, { requiredKeys: ['step', 'slot'] });
const publish = fc.record({ step, slot: slotOf, dispatch, isCleanUp: fc.boolean() });
const timer = fc.record({ name: fc.constantFrom('x', 'y', 'z'), dueAtMs: fc.nat({ max: 3 }) });

const action = fc.oneof(
  { weight: 1, arbitrary: fc.record({ does: fc.constant('take' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('begin' as const), run: fc.nat({ max: 3 }), back: fc.nat({ max: 1 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('advance' as const),
      run: fc.nat({ max: 3 }),
      /** How far behind the fence and the revision are. */
      back: fc.constantFrom(0, 0, 0, 0, 0, 1),
      behind: fc.constantFrom(0, 0, 0, 0, 1, -1),
      records: fc.array(record, { maxLength: 4 }),
      publishes: fc.array(publish, { maxLength: 5 }),
      ledger: fc.array(fc.record({ queue: list, delta: fc.integer({ min: -3, max: 3 }) }), { maxLength: 2 }),
      set: fc.array(timer, { maxLength: 2 }),
      clear: fc.array(fc.constantFrom('x', 'y'), { maxLength: 1 }),
      cancel: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('end' as const), run: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const), run: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('clear' as const), run: fc.nat({ max: 3 }), entry: text }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** One store with the fence and the keys that its caller would know. */
class Caller {
  readonly opened: OpenRunStore;
  readonly #lists: string;
  #fence = 0;
  readonly #keys = new Map<number, RunKey>();

  constructor(opened: OpenRunStore, lists: string) {
    this.opened = opened;
    this.#lists = lists;
  }

  async does(what: Action): Promise<unknown> {
    const { store, lose } = this.opened;
    if (what.does === 'take') return (this.#fence = await store.takeShard(shard));
    if (what.does === 'begin') {
      const uid = uids[what.run]!;
      const answer = await store.begin({ uid, planVersion: 1, digest: 'd', fence: this.#fence - what.back });
      if (!answer.ok) return answer;
      this.#keys.set(what.run, answer.run);
      return { ...answer, stored: plain(answer.stored) };
    }
    const key = this.#keys.get(what.run);
    if (key === undefined) return undefined;
    if (what.does === 'end') return store.end(key, ['a']);
    if (what.does === 'lose') return lose(key);
    if (what.does === 'clear') return store.clearOutbox(key, [what.entry]);
    const answer = await store.advance(key, await this.#request(key, what));
    return 'stored' in answer ? { ...answer, stored: plain(answer.stored) } : answer;
  }

  async state(): Promise<unknown> {
    const { store, held, pushed } = this.opened;
    const keys = [...this.#keys.values()];
    const runs = keys.map(async (key) => [plain(await store.read(key)), await held(key, 'a'), await held(key, 'b')]);
    const registered = [...(await store.registered(shard))].sort((a, b) => (a.run48 < b.run48 ? -1 : 1));
    const messages = [await pushed(`${this.#lists}a`), await pushed(`${this.#lists}b`)];
    return { runs: await Promise.all(runs), registered, messages, due: await store.dueTimers(shard, 2) };
  }

  async #request(key: RunKey, what: Extract<Action, { does: 'advance' }>): Promise<AdvanceRequest> {
    const rev = (await this.opened.store.read(key))?.head.rev ?? 0;
    const publishes = what.publishes.map((each) =>
      each.dispatch.by === 'Push'
        ? {
            ...each,
            dispatch: { ...each.dispatch, list: this.#lists + each.dispatch.list, bell: `${this.#lists}bell` },
          }
        : each,
    );
    const { records, ledger, set, clear, cancel } = what;
    const request = { fence: this.#fence - what.back, rev: rev - what.behind, records, publishes, ledger };
    return { ...request, timers: { set, clear }, ...(cancel ? { cancel } : {}) };
  }
}

/** A run as it stands; the clocks of the two stores are their own. */
function plain(stored: StoredRun | undefined): unknown {
  if (stored === undefined) return undefined;
  const { head, slots, kept, outbox } = stored;
  return { head: { ...head, begunAtMs: 0 }, slots: [...slots], kept: [...kept].sort(([a], [b]) => a - b), outbox };
}

test('the store in Redis answers and keeps what the rules in the core do, whatever it is asked', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 25 }), async (actions) => {
      count += 1;
      const prefix = `p${count}-`;
      const memory = new Caller(openMemoryRunStore(), prefix);
      const real = new Caller(openRedisRunStore(client, prefix), prefix);
      for (const what of [{ does: 'take' }, ...actions] as Action[]) {
        const [wanted, got] = await Promise.all([memory.does(what), real.does(what)]);
        expect(got).toEqual(wanted);
      }
      expect(await real.state()).toEqual(await memory.state());
    }),
    { numRuns: 300 },
  );
});
