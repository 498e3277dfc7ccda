import type { RunStore } from '#io/runs/run-store.ts';
import type { Clock } from './run-ports.ts';

/** The clock of a home's Redis, as far as this operator knows it: two operators with clocks of their own agree on what is due. */
export class HomeClock {
  readonly #store: Pick<RunStore, 'nowMs'>;
  readonly #clock: Clock;
  #aheadMs: number | undefined;

  constructor(store: Pick<RunStore, 'nowMs'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Asks the server. Its clock is ahead by no less than an answer tells that comes at once, and by no more than a question
   * tells that arrived at once: what is known is kept as long as it lies between the two, so that a slow answer spoils
   * nothing, and begins with the least, so that nothing is ever due too early. Throws `RunStoreUnavailable`.
   */
  async measure(): Promise<void> {
    const askedAtMs = this.#clock.nowMs();
    const serverMs = await this.#store.nowMs();
    const answeredAtMs = this.#clock.nowMs();
    const [leastMs, mostMs] = [serverMs - answeredAtMs, serverMs - askedAtMs];
    this.#aheadMs = Math.min(Math.max(this.#aheadMs ?? leastMs, leastMs), mostMs);
  }

  nowMs(): number {
    return this.#clock.nowMs() + (this.#aheadMs ?? 0);
  }
}
