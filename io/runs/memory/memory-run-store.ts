import { run48Of, shardOf } from '#core/base/task-id.ts';
import { advance, type AdvanceAnswer, type AdvanceRequest, type StoredRun } from '#core/workflow/advance.ts';
import { restore, type RestoreAnswer, type RestoreRequest } from '#core/workflow/restore.ts';
import { run48Candidates } from '../run-keys.ts';
import { OwnWriting } from './own-writing.ts';
import { RunStoreUnavailable, type BeginAnswer, type BeginRequest, type RunKey, type RunStore } from '../run-store.ts';

export interface MemoryRunStoreOptions {
  /** Where `Push` goes: the list's name and the message. */
  readonly push: (list: string, message: string) => void;
  readonly nowMs: () => number;
}

/** All that a store holds at a moment. What it is made of never changes, so that taking one costs little. */
export interface MemorySnapshot {
  readonly runs: ReadonlyMap<string, StoredRun & { readonly run48: string }>;
  readonly fences: ReadonlyMap<number, number>;
  readonly registry: ReadonlyMap<string, string>;
  /** Who had 48 bits and has ended. */
  readonly ended: ReadonlyMap<string, string>;
  readonly ledger: ReadonlyMap<string, number>;
}

/** Runs in this process, by the same rules; for tests, the simulation and runs without a cluster. */
export class MemoryRunStore implements RunStore {
  readonly #options: MemoryRunStoreOptions;
  readonly #watchers = new Set<() => void>();
  readonly #writing = new OwnWriting();
  #runs = new Map<string, StoredRun & { readonly run48: string }>();
  #fences = new Map<number, number>();
  #registry = new Map<string, string>();
  #ended = new Map<string, string>();
  #ledger = new Map<string, number>();

  constructor(options: MemoryRunStoreOptions) {
    this.#options = options;
  }

  takeShard(shard: number): Promise<number> {
    const fence = this.#fence(shard) + 1;
    this.#fences.set(shard, fence);
    return Promise.resolve(fence);
  }

  begin(request: BeginRequest): Promise<BeginAnswer> {
    return answered(() => this.#begin(request));
  }

  advance(run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer> {
    return answered(() => {
      const stored = this.#runs.get(run.uid);
      const { answer, next } = advance(stored, this.#fence(shardOf(run.run48)), request, this.#writing);
      if (next === undefined) return this.#given(answer);
      this.#write(run, next, request.fence);
      this.#tell(run, request.ledger);
      for (const { dispatch } of request.publishes) {
        if (dispatch.by === 'Push') this.#options.push(dispatch.list, dispatch.message);
      }
      return answer;
    });
  }

  restore(run: RunKey, request: RestoreRequest): Promise<RestoreAnswer> {
    return answered(() => {
      const { answer, next } = restore(this.#runs.get(run.uid), this.#fence(shardOf(run.run48)), request);
      if (next === undefined) return this.#given(answer);
      const owner = this.#registry.get(run.run48) ?? run.uid;
      if (owner !== run.uid) throw new RunStoreUnavailable(`run id ${run.run48} was taken by ${owner} meanwhile`);
      this.#registry.set(run.run48, run.uid);
      this.#leaveLedger(run);
      this.#write(run, next, request.fence);
      this.#tell(
        run,
        [...next.ledger].map(([queue, held]) => ({ queue, held })),
      );
      return answer;
    });
  }

  read({ uid }: RunKey): Promise<StoredRun | undefined> {
    const run = this.#runs.get(uid);
    if (run !== undefined) this.#writing.give(run);
    return Promise.resolve(run);
  }

  revisions(runs: readonly RunKey[]): Promise<readonly (number | undefined)[]> {
    return Promise.resolve(runs.map(({ uid }) => this.#runs.get(uid)?.head.rev));
  }

  end(run: RunKey): Promise<void> {
    const { uid, run48 } = run;
    const owner = this.#registry.get(run48) ?? uid;
    if (owner === uid) {
      this.#registry.delete(run48);
      this.#ended.set(run48, uid);
    }
    this.#leaveLedger(run);
    return Promise.resolve();
  }

  registered(shard: number): Promise<readonly RunKey[]> {
    const all = [...this.#registry].map(([run48, uid]) => ({ run48, uid }));
    return Promise.resolve(all.filter(({ run48 }) => shardOf(run48) === shard));
  }

  clearOutbox({ uid }: RunKey, published: readonly string[]): Promise<void> {
    const run = this.#runs.get(uid);
    if (run !== undefined) {
      const outbox = [...run.outbox];
      for (const entry of published) if (outbox.includes(entry)) outbox.splice(outbox.indexOf(entry), 1);
      this.#runs.set(uid, { ...run, outbox });
    }
    return Promise.resolve();
  }

  nowMs(): Promise<number> {
    return Promise.resolve(this.#options.nowMs());
  }

  watchServer(onChanged: () => void): () => void {
    const watcher = (): void => {
      onChanged();
    };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Forgets a run, as a Redis that lost its keys does; its place in the registry stays. */
  lose(uid: string): void {
    this.#runs.delete(uid);
  }

  /** Forgets the results that a run keeps, as a Redis does whose administrator let it evict keys. */
  loseResults(uid: string): void {
    const run = this.#runs.get(uid);
    if (run !== undefined) this.#runs.set(uid, { ...run, kept: new Map() });
  }

  snapshot(): MemorySnapshot {
    this.#writing.giveAll();
    return {
      runs: new Map(this.#runs),
      fences: new Map(this.#fences),
      registry: new Map(this.#registry),
      ended: new Map(this.#ended),
      ledger: new Map(this.#ledger),
    };
  }

  /** Holds what it held then, or nothing without a snapshot: as after `FLUSHALL`, a lost tail, an older replica. Tells nobody. */
  revert(to?: MemorySnapshot): void {
    this.#runs = new Map(to?.runs);
    this.#fences = new Map(to?.fences);
    this.#registry = new Map(to?.registry);
    this.#ended = new Map(to?.ended);
    this.#ledger = new Map(to?.ledger);
  }

  /** Tells everyone who watches that the server may be another. */
  tellChanged(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Messages that a run holds back from a queue. */
  held(uid: string, run48: string, queue: string): number {
    return this.#ledger.get(`${shardOf(run48)}/${queue}/${uid}`) ?? 0;
  }

  #begin({ uid, fence, planVersion, digest, mustExist }: BeginRequest): BeginAnswer {
    const shard = shardOf(run48Of(uid));
    const current = this.#fence(shard);
    if (fence < current) return { ok: false, refusal: 'StaleFence', fence: current };
    const known = this.#runs.get(uid);
    if (known === undefined && mustExist === true) return { ok: false, refusal: 'HeadMissing' };
    const run48 = known?.run48 ?? this.#freeBits(uid);
    if (!this.#registry.has(run48)) this.#registry.set(run48, uid);
    const stored = known ?? newRun({ uid, planVersion, digest, begunAtMs: this.#options.nowMs() });
    this.#writing.give(stored);
    this.#write({ uid, run48 }, stored, fence);
    return { ok: true, run: { uid, run48 }, stored, isNew: known === undefined };
  }

  #given<A extends AdvanceAnswer | RestoreAnswer>(answer: A): A {
    if ('stored' in answer) this.#writing.give(answer.stored);
    return answer;
  }

  #freeBits(uid: string): string {
    const isFree = (bits: string): boolean =>
      (this.#registry.get(bits) ?? uid) === uid && (this.#ended.get(bits) ?? uid) === uid;
    const free = run48Candidates(run48Of(uid)).find(isFree);
    if (free === undefined) throw new RunStoreUnavailable(`no free run id near ${run48Of(uid)} for Workflow ${uid}`);
    return free;
  }

  #write({ uid, run48 }: RunKey, run: StoredRun, fence: number): void {
    const shard = shardOf(run48);
    this.#runs.set(uid, { ...run, run48 });
    if (fence > this.#fence(shard)) this.#fences.set(shard, fence);
  }

  #fence(shard: number): number {
    return this.#fences.get(shard) ?? 0;
  }

  #tell({ uid, run48 }: RunKey, ledger: AdvanceRequest['ledger']): void {
    for (const { queue, held } of ledger) {
      const key = `${shardOf(run48)}/${queue}/${uid}`;
      if (held > 0) this.#ledger.set(key, held);
      else this.#ledger.delete(key);
    }
  }

  #leaveLedger(run: RunKey): void {
    const stored = this.#runs.get(run.uid);
    if (stored === undefined) return;
    this.#tell(
      run,
      [...stored.ledger.keys()].map((queue) => ({ queue, held: 0 })),
    );
    this.#runs.set(run.uid, { ...stored, ledger: new Map() });
  }
}

function newRun(given: { uid: string; planVersion: number; digest: string; begunAtMs: number }): StoredRun {
  const head = { ...given, rev: 0, round: 0, roundsAt: [], retried: 0, cancelled: '' } as const;
  return { head, slots: new Uint8Array(0), kept: new Map(), maps: new Map(), ledger: new Map(), outbox: [] };
}

/** What throws, rejects: as it does over a socket. */
function answered<T>(answer: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(answer());
  });
}
