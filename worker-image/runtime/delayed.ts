import type { Delivery } from '#io/brokers/broker.ts';

/** The longest that a timer of Node can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Entry {
  readonly delivery: Delivery;
  readonly timer: NodeJS.Timeout;
}

/** Messages that are held until their eta, in no slot. */
export class Delayed {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Calls `due` after that many milliseconds. */
  hold(delivery: Delivery, delayMs: number, due: (delivery: Delivery) => void): void {
    const wait = Math.min(delayMs, LONGEST_TIMER_MS);
    const timer = setTimeout(() => {
      this.#entries.delete(delivery.tag);
      if (delayMs > wait) this.hold(delivery, delayMs - wait, due);
      else due(delivery);
    }, wait);
    this.#entries.set(delivery.tag, { delivery, timer });
  }

  /** Lets go of everything that is held, or of these tags. */
  release(tags?: ReadonlySet<string>): readonly Delivery[] {
    const gone = [...this.#entries.values()].filter(({ delivery }) => tags === undefined || tags.has(delivery.tag));
    for (const { delivery, timer } of gone) {
      clearTimeout(timer);
      this.#entries.delete(delivery.tag);
    }
    return gone.map(({ delivery }) => delivery);
  }
}
