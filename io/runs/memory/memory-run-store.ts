import { run48Of, shardOf } from '#core/base/task-id.ts';
import { advance, type AdvanceAnswer, type AdvanceRequest, type StoredRun } from '#core/workflow/advance.ts';
import { run48Candidates } from '../run-keys.ts';
import { RunStoreUnavailable, type BeginAnswer, type BeginRequest, type RunKey, type RunStore } from '../run-store.ts';

export interface MemoryRunStoreOptions {
  /** Where `Push` goes: the list's name and the message. */
  readonly push: (list: string, message: string) => void;
  readonly nowMs: () => number;
}

/** Runs in this process, by the same rules; for tests, the simulation and runs without a cluster. */
export class MemoryRunStore implements RunStore {
  readonly #options: MemoryRunStoreOptions;
  readonly #runs = new Map<string, StoredRun & { readonly run48: string }>();
  readonly #fences = new Map<number, number>();
  readonly #registry = new Map<string, string>();
  readonly #timers = new Map<number, Map<string, number>>();
  readonly #ledger = new Map<string, number>();

  constructor(options: MemoryRunStoreOptions) {
    this.#options = options;
  }

  takeShard(shard: number): Promise<number> {
    const fence = this.#fence(shard) + 1;
    this.#fences.set(shard, fence);
    return Promise.resolve(fence);
  }

  begin({ uid, fence, planVersion, digest, mustExist }: BeginRequest): Promise<BeginAnswer> {
    const current = this.#fence(shardOf(run48Of(uid)));
    if (fence < current) return Promise.resolve({ ok: false, refusal: 'StaleFence', fence: current });
    const known = this.#runs.get(uid);
    if (known !== undefined) {
      if (!this.#registry.has(known.run48)) this.#registry.set(known.run48, uid);
      return Promise.resolve({ ok: true, run: { uid, run48: known.run48 }, stored: known, isNew: false });
    }
    if (mustExist === true) return Promise.resolve({ ok: false, refusal: 'HeadMissing' });
    const run48 = run48Candidates(run48Of(uid)).find((bits) => (this.#registry.get(bits) ?? uid) === uid);
    if (run48 === undefined) return Promise.reject(new RunStoreUnavailable(`no free run id near ${run48Of(uid)}`));
    this.#registry.set(run48, uid);
    const head = { uid, rev: 0, round: 0, planVersion, digest, cancelled: false, begunAtMs: this.#options.nowMs() };
    const stored = { head, slots: new Uint8Array(0), kept: new Map(), outbox: [], run48 };
    this.#runs.set(uid, stored);
    return Promise.resolve({ ok: true, run: { uid, run48 }, stored, isNew: true });
  }

  advance(run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer> {
    return new Promise((resolve) => {
      resolve(this.#advance(run, request));
    });
  }

  read({ uid }: RunKey): Promise<StoredRun | undefined> {
    return Promise.resolve(this.#runs.get(uid));
  }

  end({ uid, run48 }: RunKey, queues: readonly string[]): Promise<void> {
    if (this.#registry.get(run48) === uid) this.#registry.delete(run48);
    for (const queue of queues) this.#ledger.delete(`${shardOf(run48)}/${queue}/${uid}`);
    return Promise.resolve();
  }

  registered(shard: number): Promise<readonly RunKey[]> {
    const all = [...this.#registry].map(([run48, uid]) => ({ run48, uid }));
    return Promise.resolve(all.filter(({ run48 }) => shardOf(run48) === shard));
  }

  dueTimers(shard: number, most: number): Promise<readonly string[]> {
    const now = this.#options.nowMs();
    const due = [...(this.#timers.get(shard) ?? [])].filter(([, at]) => at <= now);
    due.sort(([name, at], [otherName, other]) => at - other || (name < otherName ? -1 : 1));
    return Promise.resolve(due.slice(0, most).map(([name]) => name));
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

  /** Forgets everything of a run, as a Redis that was wiped does. */
  lose(uid: string): void {
    this.#runs.delete(uid);
  }

  /** Messages that a run holds back from a queue. */
  held(uid: string, run48: string, queue: string): number {
    return this.#ledger.get(`${shardOf(run48)}/${queue}/${uid}`) ?? 0;
  }

  #advance(run: RunKey, request: AdvanceRequest): AdvanceAnswer {
    const shard = shardOf(run.run48);
    const { answer, next } = advance(this.#runs.get(run.uid), this.#fence(shard), request);
    if (next !== undefined) {
      this.#runs.set(run.uid, { ...next, run48: run.run48 });
      this.#perform(shard, run.uid, request);
    }
    return answer;
  }

  #fence(shard: number): number {
    return this.#fences.get(shard) ?? 0;
  }

  #perform(shard: number, uid: string, request: AdvanceRequest): void {
    for (const { queue, delta } of request.ledger) {
      const key = `${shard}/${queue}/${uid}`;
      const held = (this.#ledger.get(key) ?? 0) + delta;
      if (held > 0) this.#ledger.set(key, held);
      else this.#ledger.delete(key);
    }
    const timers = this.#timers.get(shard) ?? new Map<string, number>();
    for (const { name, dueAtMs } of request.timers.set) timers.set(name, dueAtMs);
    for (const name of request.timers.clear) timers.delete(name);
    this.#timers.set(shard, timers);
    for (const { dispatch } of request.publishes) {
      if (dispatch.by === 'Push') this.#options.push(dispatch.list, dispatch.message);
    }
  }
}
