import { expect } from 'vitest';
import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import { hasEnded, readSlot, slotBytes } from '#core/workflow/slots.ts';
import { MemoryRunStore } from '#io/runs/memory/memory-run-store.ts';
import type { RunKey } from '#io/runs/run-store.ts';

/** A push: which call of the deciding script made it, in which order. */
export interface Pushed {
  readonly message: string;
  readonly call: number;
}

/**
 * The store of one run with a witness beside it. At every call: what is refused changes nothing; the revision rises by
 * one; who is fenced out decides nothing; what has ended stands, with its text.
 */
export class WatchedStore {
  readonly pushed: Pushed[] = [];
  /** By step: the call that recorded its end. */
  readonly endedAt = new Map<number, number>();
  readonly store: MemoryRunStore;
  fence = 0;
  nowMs = 1_700_000_000_000;
  cancelledAt: number | undefined;
  run: RunKey = { uid: '', run48: '' };
  #calls = 0;

  constructor() {
    this.store = new MemoryRunStore({
      push: (_list, message) => void this.pushed.push({ message, call: this.#calls }),
      nowMs: () => this.nowMs,
    });
  }

  async read(): Promise<StoredRun> {
    const stored = await this.store.read(this.run);
    if (stored === undefined) throw new Error('the run is gone');
    return stored;
  }

  async takeOver(shard: number): Promise<number> {
    this.fence = await this.store.takeShard(shard);
    return this.fence;
  }

  async advance(request: AdvanceRequest): Promise<AdvanceAnswer> {
    const before = await this.read();
    const pushedBefore = this.pushed.length;
    this.#calls += 1;
    const answer = await this.store.advance(this.run, request);
    const after = await this.read();
    if (answer.ok) {
      expect(request.fence).toBe(this.fence);
      expect(after.head.rev).toBe(before.head.rev + 1);
      this.#checkEnds(before, after);
      if (after.head.cancelled) this.cancelledAt ??= this.#calls;
    } else {
      expect(after).toBe(before);
      expect(this.pushed.length).toBe(pushedBefore);
    }
    return answer;
  }

  #checkEnds(before: StoredRun, after: StoredRun): void {
    for (let step = 0; step * slotBytes < after.slots.length; step += 1) {
      const [was, is] = [readSlot(before.slots, step), readSlot(after.slots, step)];
      if (hasEnded(was.state)) {
        expect(is).toEqual(was);
        expect(after.kept.get(step)).toBe(before.kept.get(step));
      } else {
        expect(is.attempt).toBeGreaterThanOrEqual(was.attempt);
        if (hasEnded(is.state)) this.endedAt.set(step, this.#calls);
      }
    }
  }
}
