import type { ChainableCommander, Redis } from 'ioredis';
import { run48Of, shardOf } from '#core/base/task-id.ts';
import { checkRequest, type AdvanceAnswer, type AdvanceRequest, type StoredRun } from '#core/workflow/advance.ts';
import type { RestoreAnswer, RestoreRequest } from '#core/workflow/restore.ts';
import { afterlifeSeconds, run48Candidates, run48s, RunKeys } from '../run-keys.ts';
import { RunStoreUnavailable, type BeginAnswer, type BeginRequest, type RunKey, type RunStore } from '../run-store.ts';
import { advanceArguments, type ScriptArgument } from './advance-arguments.ts';
import { advanceScript } from './advance-script.ts';
import { beginScript } from './begin-script.ts';
import { endScript } from './end-script.ts';
import { restoreArguments } from './restore-arguments.ts';
import { restoreScript } from './restore-script.ts';
import { revisionsScript } from './revisions-script.ts';
import { watchServer } from './watch-server.ts';
import { decodeRun48, decodeStored } from './stored-reply.ts';

const revisionsPerCall = 1_000;

/** The client takes lists for what is in them; a call of 200,000 arguments has no other way. */
type Script = (...args: (ScriptArgument | readonly ScriptArgument[])[]) => Promise<unknown[]>;

export interface RedisRunStoreOptions {
  /** Used for nothing that blocks. */
  readonly client: Redis;
  /** The connection's key prefix, `''` for none. */
  readonly prefix: string;
  /** How often the server's identity is looked at while somebody watches it, beside each new connection. Default 5,000. */
  readonly lookEveryMs?: number;
}

/** Runs in the results Redis, under the keys of `run-keys.ts`. */
export class RedisRunStore implements RunStore {
  readonly #client: Redis;
  readonly #keys: RunKeys;
  readonly #db: number;
  readonly #lookEveryMs: number | undefined;
  readonly #begin: Script;
  readonly #advance: Script;
  readonly #restore: Script;
  readonly #end: Script;
  readonly #revisions: Script;

  constructor({ client, prefix, lookEveryMs }: RedisRunStoreOptions) {
    this.#client = client;
    this.#keys = new RunKeys(prefix);
    this.#db = client.options.db ?? 0;
    this.#lookEveryMs = lookEveryMs;
    this.#begin = scriptOn(client, 'arpeggioBegin', beginScript, 6 + run48s);
    this.#advance = scriptOn(client, 'arpeggioAdvance', advanceScript, 5);
    this.#restore = scriptOn(client, 'arpeggioRestore', restoreScript, 6);
    this.#end = scriptOn(client, 'arpeggioEnd', endScript, 6);
    this.#revisions = scriptOn(client, 'arpeggioRevisions', revisionsScript);
  }

  async takeShard(shard: number): Promise<number> {
    return guarded(() => this.#client.incr(this.#keys.fence(shard)));
  }

  async begin({ uid, fence, planVersion, digest, mustExist }: BeginRequest): Promise<BeginAnswer> {
    const shard = shardOf(run48Of(uid));
    const candidates = run48Candidates(run48Of(uid));
    const ended = candidates.map((run48) => this.#keys.ended(run48));
    const keys = [...this.#runKeys(uid), this.#keys.registry(shard), this.#keys.fence(shard), ...ended];
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
    checkRequest(request);
    const shard = shardOf(run.run48);
    const args = advanceArguments(request, { db: this.#db, ledgers: this.#keys.ledger(shard, '') });
    const reply = await guarded(() => this.#advance(...this.#runKeys(run.uid), this.#keys.fence(shard), args));
    return answerOf(reply);
  }

  async restore(run: RunKey, request: RestoreRequest): Promise<RestoreAnswer> {
    const shard = shardOf(run.run48);
    const keys = [...this.#runKeys(run.uid), this.#keys.fence(shard), this.#keys.registry(shard)];
    const args = restoreArguments(run, request, this.#keys.ledger(shard, ''));
    const [verdict, ...rest] = await guarded(() => this.#restore(...keys, args));
    if (String(verdict) === 'Restored') return { ok: true, rev: Number(rest[0]) };
    if (String(verdict) === 'StaleFence') return { ok: false, refusal: 'StaleFence', fence: Number(rest[0]) };
    const stored = decodeStored(rest);
    if (stored !== undefined) return { ok: false, refusal: 'StaleRev', stored };
    throw new RunStoreUnavailable(
      `run id ${run.run48} of Workflow ${run.uid} was taken by ${String(rest[0])} meanwhile`,
    );
  }

  async read({ uid }: RunKey): Promise<StoredRun | undefined> {
    const [head, slots, kept, outbox] = this.#runKeys(uid) as [string, string, string, string];
    const all = this.#client.multi().callBuffer('HGETALL', head).getBuffer(slots).callBuffer('HGETALL', kept);
    return decodeStored(await perform(all.callBuffer('LRANGE', outbox, 0, -1)));
  }

  async revisions(runs: readonly RunKey[]): Promise<readonly (number | undefined)[]> {
    const found: (number | undefined)[] = [];
    // One call after the other: a server that is asked for thousands answers others in between.
    for (let from = 0; from < runs.length; from += revisionsPerCall) {
      const asked = runs.slice(from, from + revisionsPerCall);
      const keys = asked.flatMap(({ uid }) => [this.#keys.head(uid), this.#keys.slots(uid)]);
      const [text] = await guarded(() => this.#revisions(keys.length, keys));
      for (const rev of String(text).split(' ')) found.push(rev === '-' ? undefined : Number(rev));
    }
    return found;
  }

  async end({ uid, run48 }: RunKey): Promise<void> {
    const shard = shardOf(run48);
    const keys = [...this.#runKeys(uid), this.#keys.registry(shard), this.#keys.ended(run48)];
    await guarded(() => this.#end(...keys, uid, run48, afterlifeSeconds, this.#keys.ledger(shard, '')));
  }

  async registered(shard: number): Promise<readonly RunKey[]> {
    const found = await guarded(() => this.#client.hgetall(this.#keys.registry(shard)));
    return Object.entries(found).map(([run48, uid]) => ({ run48, uid }));
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

  watchServer(onChanged: () => void): () => void {
    return watchServer(this.#client, { lookEveryMs: this.#lookEveryMs, onChanged });
  }

  #runKeys(uid: string): string[] {
    return [this.#keys.head(uid), this.#keys.slots(uid), this.#keys.kept(uid), this.#keys.outbox(uid)];
  }
}

function answerOf(reply: readonly unknown[]): AdvanceAnswer {
  const [first, ...rest] = reply;
  const verdict = String(first);
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
async function perform(pipeline: ChainableCommander): Promise<readonly unknown[]> {
  const replies = (await guarded(() => pipeline.exec())) ?? [];
  const failed = replies.find(([error]) => error !== null);
  if (failed !== undefined) throw new RunStoreUnavailable(failed[0]?.message, { cause: failed[0] });
  return replies.map(([, reply]) => reply);
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RunStoreUnavailable) throw error;
    throw new RunStoreUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
