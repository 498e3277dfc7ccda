import { backoffMs, type Backoff } from '#core/base/backoff.ts';
import type { Timers } from '#core/base/timers.ts';
import { processTimers } from '#io/process-timers.ts';

export interface WorkQueueOptions {
  /** Keys worked on at once. */
  readonly concurrency: number;
  /** Works on one key; a rejection brings the key back after a wait that doubles with each failure in a row. */
  readonly work: (key: string) => Promise<void>;
  /** Told of every rejection, with how often in a row it came and when the key comes back. */
  readonly onFailure: (key: string, error: unknown, retry: { failures: number; waitMs: number }) => void;
  /** Default: from 50 ms to 60 s. */
  readonly backoff?: Backoff;
  /** Default: those of the process. */
  readonly timers?: Timers;
}

/**
 * Keys that want a look. A key added many times is looked at once; a key is never worked on twice at the same time, and
 * one added while it is being worked on gets another look afterwards, so the last change is always seen.
 */
export class WorkQueue {
  readonly #options: Required<WorkQueueOptions>;
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { atMs: number; stop: () => void }>();
  #idle = Promise.withResolvers<undefined>();
  #isClosed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = { backoff: { baseMs: 50, capMs: 60_000 }, timers: processTimers, ...options };
  }

  add(key: string): void {
    if (this.#isClosed) return;
    this.#clearTimer(key);
    this.#waiting.add(key);
    this.#startNext();
  }

  /** Adds the key after a time, unless it is added before; of several times the earliest counts. */
  addAfter(key: string, waitMs: number): void {
    if (this.#isClosed) return;
    if (waitMs <= 0) {
      this.add(key);
      return;
    }
    const { timers } = this.#options;
    const atMs = timers.nowMs() + waitMs;
    const planned = this.#timers.get(key);
    if (planned !== undefined && planned.atMs <= atMs) return;
    this.#clearTimer(key);
    const stop = timers.after(waitMs, () => this.add(key));
    this.#timers.set(key, { atMs, stop });
  }

  /** Keys waiting for a look, and keys that have one now. */
  get size(): { readonly waiting: number; readonly working: number } {
    return { waiting: this.#waiting.size, working: this.#working.size };
  }

  /** Takes no further key; resolves when those being worked on are done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const key of this.#timers.keys()) this.#clearTimer(key);
    this.#waiting.clear();
    if (this.#working.size > 0) await this.#idle.promise;
  }

  #startNext(): void {
    for (const key of this.#waiting) {
      if (this.#working.size >= this.#options.concurrency) return;
      if (this.#working.has(key)) continue;
      this.#waiting.delete(key);
      this.#working.add(key);
      void this.#workOn(key);
    }
  }

  async #workOn(key: string): Promise<void> {
    try {
      await this.#options.work(key);
      this.#failures.delete(key);
    } catch (error) {
      this.#postpone(key, error);
    }
    this.#working.delete(key);
    this.#startNext();
    if (this.#working.size === 0) {
      this.#idle.resolve(undefined);
      this.#idle = Promise.withResolvers<undefined>();
    }
  }

  #postpone(key: string, error: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const asked = (error as { retryAfterMs?: unknown } | undefined)?.retryAfterMs;
    const waitMs = Math.max(
      typeof asked === 'number' ? asked : 0,
      backoffMs(this.#options.backoff, failures, this.#options.timers.chance()),
    );
    this.#options.onFailure(key, error, { failures, waitMs });
    this.addAfter(key, waitMs);
  }

  #clearTimer(key: string): void {
    this.#timers.get(key)?.stop();
    this.#timers.delete(key);
  }
}
