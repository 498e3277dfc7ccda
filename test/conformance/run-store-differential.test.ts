import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AdvanceAnswer, AdvanceRequest, StoredRun, Unfold } from '#core/workflow/advance.ts';
import type { RestoreAnswer } from '#core/workflow/restore.ts';
import { slotBytes, withSlots } from '#core/workflow/slots.ts';
import type { Unfolded, UnfoldedMaps } from '#core/workflow/unfolded.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { openMemoryRunStore, openRedisRunStore, redisClient, type OpenRunStore } from '../support/run-stores.ts';
import { shard } from '../support/run-requests.ts';
import { action, steps, widths, type Action, type Place } from './run-store-actions.ts';

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

/** One store with the fence and the keys that its caller would know. */
class Caller {
  readonly opened: OpenRunStore;
  readonly #lists: string;
  #fence = 0;
  readonly #keys = new Map<number, RunKey>();
  /** Runs as they once stood. */
  readonly #known = new Map<number, StoredRun>();

  constructor(opened: OpenRunStore, lists: string) {
    this.opened = opened;
    this.#lists = lists;
  }

  async does(what: Action): Promise<unknown> {
    const { store } = this.opened;
    if (what.does === 'take') return (this.#fence = await store.takeShard(shard));
    if (what.does === 'begin') return this.#begun(what);
    const key = this.#keys.get(what.run);
    return key === undefined ? undefined : this.#doesWith(key, await store.read(key), what);
  }

  async #begun({ run, back }: Extract<Action, { does: 'begin' }>): Promise<unknown> {
    const request = { uid: uids[run]!, planVersion: 1, digest: 'd', fence: this.#fence - back };
    const answer = await this.opened.store.begin(request);
    if (!answer.ok) return answer;
    this.#keys.set(run, answer.run);
    return { ...answer, stored: plain(answer.stored) };
  }

  async #doesWith(
    key: RunKey,
    stored: StoredRun | undefined,
    what: Exclude<Action, { does: 'take' | 'begin' }>,
  ): Promise<unknown> {
    const { store, lose } = this.opened;
    switch (what.does) {
      case 'end':
        return store.end(key);
      case 'lose':
        return lose(key);
      case 'clear':
        return store.clearOutbox(key, [what.entry]);
      case 'remember':
        if (stored !== undefined) this.#known.set(what.run, stored);
        return undefined;
      case 'restore':
        return this.#restored(key, what);
      case 'advance':
        return answered(store.advance(key, this.#request(stored, what)));
      case 'round':
        return answered(store.advance(key, this.#round(stored, what)));
    }
  }

  async state(): Promise<unknown> {
    const { store, held, pushed } = this.opened;
    const keys = [...this.#keys.values()];
    const runs = keys.map(async (key) => [plain(await store.read(key)), await held(key, 'a'), await held(key, 'b')]);
    const registered = [...(await store.registered(shard))].sort((a, b) => (a.run48 < b.run48 ? -1 : 1));
    const messages = [await pushed(`${this.#lists}a`), await pushed(`${this.#lists}b`)];
    const revisions = await store.revisions(keys);
    return { runs: await Promise.all(runs), revisions, registered, messages, fence: await store.takeShard(shard) };
  }

  async #restored(key: RunKey, what: Extract<Action, { does: 'restore' }>): Promise<unknown> {
    const known = this.#known.get(what.run);
    if (known === undefined) return undefined;
    const { head, slots, kept, maps, ledger, outbox } = known;
    const request = { fence: this.#fence - what.back, head, slots, kept, maps, ledger, outbox };
    try {
      return await answered(this.opened.store.restore(key, request));
    } catch (error) {
      return (error as Error).name;
    }
  }

  #request(stored: StoredRun | undefined, what: Extract<Action, { does: 'advance' }>): AdvanceRequest {
    const { ledger, cancel } = what;
    const unfolds = unfoldsOf(stored, what.unfolds);
    const maps = new Map([...(stored?.maps ?? []), ...unfolds.map((unfold) => [unfold.step, unfold] as const)]);
    const records = what.records.map(({ place, ...rest }) => ({ at: slotAt(maps, place), ...rest }));
    const publishes = what.publishes.map(({ place, dispatch, ...rest }) => ({
      ...rest,
      at: slotAt(maps, place),
      dispatch:
        dispatch.by === 'Push'
          ? { ...dispatch, list: this.#lists + dispatch.list, bell: `${this.#lists}bell` }
          : dispatch,
    }));
    const rev = (stored?.head.rev ?? 0) - what.behind;
    const request = { fence: this.#fence - what.back, rev, records, publishes, unfolds, ledger };
    return cancel === undefined ? request : { ...request, cancel };
  }

  #round(stored: StoredRun | undefined, what: Extract<Action, { does: 'round' }>): AdvanceRequest {
    const maps = stored?.maps ?? new Map<number, Unfolded>();
    const given = what.slots.map(([place, slot]) => [slotAt(maps, place), slot] as const);
    const newRound = {
      slots: withSlots(stored?.slots ?? new Uint8Array(0), given),
      atTicks: what.atTicks,
      retried: what.atTicks,
    };
    const request = { fence: this.#fence, rev: stored?.head.rev ?? 0, records: [], publishes: [], ledger: [] };
    return { ...request, unfolds: unfoldsOf(stored, what.unfolds), newRound };
  }
}

async function answered(answer: Promise<AdvanceAnswer | RestoreAnswer>): Promise<unknown> {
  const given = await answer;
  return 'stored' in given ? { ...given, stored: plain(given.stored) } : given;
}

/** Behind every slot there may be. */
function unfoldsOf(
  stored: StoredRun | undefined,
  given: readonly { step: number; count: number }[],
): readonly Unfold[] {
  const ends = [...(stored?.maps.values() ?? [])].map(({ base, count, width }) => base + count * width);
  return given.map(({ step, count }) => ({
    step,
    base: Math.max(steps, (stored?.slots.length ?? 0) / slotBytes, ...ends),
    count,
    width: widths.get(step) ?? 1,
  }));
}

function slotAt(maps: UnfoldedMaps, { map, member, inner }: Place): number {
  if (map === -1) return inner;
  const unfolded = maps.get(map);
  if (unfolded === undefined || member >= unfolded.count) return map;
  return unfolded.base + member * unfolded.width + inner;
}

/** A run as it stands; the clocks of the two stores are their own. */
function plain(stored: StoredRun | undefined): unknown {
  if (stored === undefined) return undefined;
  const { head, slots, kept, maps, ledger, outbox } = stored;
  const sorted = [kept, maps].map((map) => [...map].sort(([a], [b]) => a - b));
  return { head: { ...head, begunAtMs: 0 }, slots: [...slots], sorted, ledger, outbox };
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
