import type { Delivery } from '#io/brokers/broker.ts';
import type { WorkerClock } from './worker-clock.ts';

interface Entry {
  readonly id: string;
  readonly delivery: Delivery;
  readonly dueMs: number;
  stop: () => void;
}

/** One message and when it is due. */
export interface Due {
  /** The task's id. */
  readonly id: string;
  readonly delivery: Delivery;
  readonly dueMs: number;
}

export interface DelayedBounds {
  /** Messages held at once. */
  readonly most: number;
  /** Characters of their texts. */
  readonly mostText: number;
}

/** As much as the smallest pod can bear. */
export const delayedBounds: DelayedBounds = { most: 10_000, mostText: 32 * 1024 * 1024 };

/** Messages that are held until their eta, in no slot: those that are due first, as many as fit. */
export class Delayed {
  readonly #bounds: DelayedBounds;
  readonly #clock: WorkerClock;
  readonly #entries = new Map<string, Entry>();
  #text = 0;
  #lastDueMs = Number.NEGATIVE_INFINITY;

  constructor(bounds: DelayedBounds, clock: WorkerClock) {
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** What is held, in no order. */
  get held(): readonly Due[] {
    return [...this.#entries.values()];
  }

  /** Calls `call` when the message is due. Returns what there is no room for: of all, what is due last. */
  hold(due: Due, call: (delivery: Delivery) => void): readonly Delivery[] {
    const { most, mostText } = this.#bounds;
    const isOver = (): boolean => this.#entries.size > most || this.#text > mostText;
    const wouldBe = this.#text + due.delivery.text.length;
    if ((this.#entries.size >= most || wouldBe > mostText) && due.dueMs >= this.#lastDueMs && this.#entries.size > 0)
      return [due.delivery];
    const entry = { ...due, stop: this.#timer(due, call) };
    this.#entries.set(due.delivery.tag, entry);
    this.#text = wouldBe;
    this.#lastDueMs = Math.max(this.#lastDueMs, due.dueMs);
    const sentAway: Delivery[] = [];
    while (isOver() && this.#entries.size > 1) {
      const last = this.#last();
      this.#remove(last);
      sentAway.push(last.delivery);
      this.#lastDueMs = this.#last().dueMs;
    }
    return sentAway;
  }

  /** Lets go of everything that is held, or of what `wanted` holds for. */
  release(wanted: (due: Due) => boolean = () => true): readonly Delivery[] {
    const gone = [...this.#entries.values()].filter(wanted);
    for (const entry of gone) this.#remove(entry);
    return gone.map(({ delivery }) => delivery);
  }

  #timer(due: Due, call: (delivery: Delivery) => void): () => void {
    const { nowMs, after } = this.#clock;
    return after(Math.max(due.dueMs - nowMs(), 0), () => {
      const entry = this.#entries.get(due.delivery.tag);
      if (entry === undefined) return;
      // The clock was set back.
      if (due.dueMs - nowMs() > 1_000) {
        entry.stop = this.#timer(due, call);
        return;
      }
      this.#remove(entry);
      call(due.delivery);
    });
  }

  #remove(entry: Entry): void {
    entry.stop();
    if (this.#entries.delete(entry.delivery.tag)) this.#text -= entry.delivery.text.length;
    if (this.#entries.size === 0) this.#lastDueMs = Number.NEGATIVE_INFINITY;
  }

  #last(): Entry {
    let last: Entry | undefined;
    for (const entry of this.#entries.values()) if (last === undefined || entry.dueMs > last.dueMs) last = entry;
    if (last === undefined) throw new Error('nothing is held');
    return last;
  }
}
