import type { RunStore } from '#io/runs/run-store.ts';
import type { Clock } from './run-ports.ts';

/** The clock of a home's Redis, as far as this operator knows it: two operators with clocks of their own agree on what is due. */
export class HomeClock {
  readonly #store: Pick<RunStore, 'nowMs'>;
  readonly #clock: Clock;
  #aheadMs = 0;

  constructor(store: Pick<RunStore, 'nowMs'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Asks the server; half of the time that this took is taken for the way back. Throws `RunStoreUnavailable`. */
  async measure(): Promise<void> {
    const askedAtMs = this.#clock.nowMs();
    const serverMs = await this.#store.nowMs();
    const answeredAtMs = this.#clock.nowMs();
    this.#aheadMs = serverMs - (askedAtMs + answeredAtMs) / 2;
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.#aheadMs;
  }
}
