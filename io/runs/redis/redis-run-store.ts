import type { ChainableCommander, Redis } from 'ioredis';
import { run48Of, shardOf } from '#core/base/task-id.ts';
import {
  checkSize,
  type AdvanceAnswer,
  type AdvanceRequest,
  type Publish,
  type StoredRun,
} from '#core/workflow/advance.ts';
import type { Recorded } from '#core/workflow/record.ts';
import { encodeSlot, type Slot } from '#core/workflow/slots.ts';
import { afterlifeSeconds, run48Candidates, RunKeys } from '../run-keys.ts';
import { RunStoreUnavailable, type BeginAnswer, type BeginRequest, type RunKey, type RunStore } from '../run-store.ts';
import { advanceScript } from './advance-script.ts';
import { beginScript } from './begin-script.ts';
import { endScript } from './end-script.ts';
import { decodeRun48, decodeStored } from './stored-reply.ts';

type Argument = string | number;
type Script = (...args: Argument[]) => Promise<unknown[]>;

export interface RedisRunStoreOptions {
  /** Used for nothing that blocks. */
  readonly client: Redis;
  /** The connection's key prefix, `''` for none. */
  readonly prefix: string;
}

/** Runs in the results Redis, under the keys of `run-keys.ts`. */
export class RedisRunStore implements RunStore {
  readonly #client: Redis;
  readonly #keys: RunKeys;
  readonly #db: number;
  readonly #begin: Script;
  readonly #advance: Script;
  readonly #end: Script;

  constructor({ client, prefix }: RedisRunStoreOptions) {
    this.#client = client;
    this.#keys = new RunKeys(prefix);
    this.#db = client.options.db ?? 0;
    this.#begin = scriptOn(client, 'arpeggioBegin', beginScript, 6);
    this.#advance = scriptOn(client, 'arpeggioAdvance', advanceScript, 6);
    this.#end = scriptOn(client, 'arpeggioEnd', endScript);
  }

  async takeShard(shard: number): Promise<number> {
    return guarded(() => this.#client.incr(this.#keys.fence(shard)));
  }

  async begin({ uid, fence, planVersion, digest, mustExist }: BeginRequest): Promise<BeginAnswer> {
    const shard = shardOf(run48Of(uid));
    const keys = [...this.#runKeys(uid), this.#keys.registry(shard), this.#keys.fence(shard)];
    const candidates = run48Candidates(run48Of(uid));
    const reply = await guarded(() =>
      this.#begin(...keys, fence, uid, planVersion, digest, mustExist === true ? '1' : '0', ...candidates),
    );
    const [verdict, isNew, ...rest] = reply;
    if (String(verdict) === 'StaleFence') return { ok: false, refusal: 'StaleFence', fence: Number(isNew) };
    if (String(verdict) === 'HeadMissing') return { ok: false, refusal: 'HeadMissing' };
    const stored = decodeStored(rest);
    if (stored === undefined) throw new RunStoreUnavailable(`no free run id near ${run48Of(uid)} for Workflow ${uid}`);
    return { ok: true, run: { uid, run48: decodeRun48(rest[0]) }, stored, isNew: String(isNew) === '1' };
  }

  async advance(run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer> {
    const shard = shardOf(run.run48);
    const keys = [...this.#runKeys(run.uid), this.#keys.fence(shard), this.#keys.timers(shard)];
    checkSize(request);
    const [verdict, ...rest] = await guarded(() => this.#advance(...keys, ...this.#arguments(shard, request)));
    return answerOf(String(verdict), rest);
  }

  async read({ uid }: RunKey): Promise<StoredRun | undefined> {
    const [head, slots, kept, outbox] = this.#runKeys(uid) as [string, string, string, string];
    const replies = await guarded(() =>
      Promise.all([
        this.#client.callBuffer('HGETALL', head),
        this.#client.getBuffer(slots),
        this.#client.callBuffer('HGETALL', kept),
        this.#client.lrange(outbox, 0, -1),
      ]),
    );
    return decodeStored(replies);
  }

  async end({ uid, run48 }: RunKey, queues: readonly string[]): Promise<void> {
    const shard = shardOf(run48);
    const ledgers = queues.map((queue) => this.#keys.ledger(shard, queue));
    const keys = [...this.#runKeys(uid), this.#keys.registry(shard), ...ledgers];
    await guarded(() => this.#end(keys.length, ...keys, uid, run48, afterlifeSeconds));
  }

  async registered(shard: number): Promise<readonly RunKey[]> {
    const found = await guarded(() => this.#client.hgetall(this.#keys.registry(shard)));
    return Object.entries(found).map(([run48, uid]) => ({ run48, uid }));
  }

  async dueTimers(shard: number, most: number): Promise<readonly string[]> {
    const now = await this.nowMs();
    return guarded(() => this.#client.zrangebyscore(this.#keys.timers(shard), 0, now, 'LIMIT', 0, most));
  }

  async clearOutbox({ uid }: RunKey, published: readonly string[]): Promise<void> {
    const pipeline = this.#client.pipeline();
    for (const entry of published) pipeline.lrem(this.#keys.outbox(uid), 1, entry);
    await perform(pipeline);
  }

  async nowMs(): Promise<number> {
    const [seconds, microseconds] = await guarded(() => this.#client.time());
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  #runKeys(uid: string): string[] {
    return [this.#keys.head(uid), this.#keys.slots(uid), this.#keys.kept(uid), this.#keys.outbox(uid)];
  }

  #arguments(shard: number, request: AdvanceRequest): Argument[] {
    const { fence, rev, records, publishes, ledger, timers } = request;
    const counts = [records.length, publishes.length, ledger.length, timers.set.length, timers.clear.length];
    return [
      ...[fence, rev, request.cancel === true ? '1' : '0', String(this.#db), ...counts],
      ...records.flatMap(recordArguments),
      ...publishes.flatMap((publish) => publishArguments(publish, this.#db)),
      ...ledger.flatMap(({ queue, delta }) => [this.#keys.ledger(shard, queue), delta]),
      ...timers.set.flatMap(({ name, dueAtMs }) => [name, dueAtMs]),
      ...timers.clear,
    ];
  }
}

/** In hex: one buffer among its arguments makes the client assemble a whole call piece by piece. */
function slotText(slot: Slot): string {
  return Buffer.from(encodeSlot(slot)).toString('hex');
}

function recordArguments({ step, slot, keep }: Recorded): Argument[] {
  return [step, slotText(slot), keep === undefined ? '0' : '1', keep ?? ''];
}

function publishArguments({ step, slot, dispatch, isCleanUp }: Publish, homeDb: number): Argument[] {
  const first = [step, slotText(slot), isCleanUp ? '1' : '0', dispatch.by];
  switch (dispatch.by) {
    case 'Push':
      return [...first, String(dispatch.db), dispatch.list, dispatch.bell, dispatch.message];
    case 'Outbox':
      return [...first, String(homeDb), '', '', dispatch.entry];
    case 'Hold':
      return [...first, String(homeDb), '', '', ''];
  }
}

function answerOf(verdict: string, rest: readonly unknown[]): AdvanceAnswer {
  if (verdict === 'Advanced') return { ok: true, rev: Number(rest[0]) };
  if (verdict === 'HeadMissing') return { ok: false, refusal: 'HeadMissing' };
  if (verdict === 'StaleFence') return { ok: false, refusal: 'StaleFence', fence: Number(rest[0]) };
  const stored = decodeStored(rest);
  if (stored === undefined) return { ok: false, refusal: 'HeadMissing' };
  return verdict === 'Cancelled'
    ? { ok: false, refusal: 'Cancelled', stored }
    : { ok: false, refusal: 'StaleRev', stored };
}

/**
 * A script as a command of the client, which sends its digest and falls back to its text. Without a number of keys, the
 * first argument of each call says it.
 */
function scriptOn(client: Redis, name: string, lua: string, numberOfKeys?: number): Script {
  client.defineCommand(name, { lua, ...(numberOfKeys === undefined ? {} : { numberOfKeys }) });
  const commands = client as unknown as Record<string, Script>;
  const command = commands[`${name}Buffer`];
  if (command === undefined) throw new TypeError(`the Redis client has no command ${name}`);
  return (...args) => command.apply(client, args);
}

/** A pipeline tells of its commands' errors in its replies; the first one is thrown. */
async function perform(pipeline: ChainableCommander): Promise<void> {
  const replies = await guarded(() => pipeline.exec());
  const failed = replies?.find(([error]) => error !== null);
  if (failed !== undefined) throw new RunStoreUnavailable(failed[0]?.message, { cause: failed[0] });
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RunStoreUnavailable) throw error;
    throw new RunStoreUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
