import type { Clock } from '#operator/runs/run-ports.ts';

interface Timer {
  readonly atMs: number;
  readonly call: () => void;
}

/** Kept from before any test put fake timers in its place. */
const realSoon = setImmediate;

/** Time that passes only when it is told to. What is to be done `soon` is done by the event loop, as in a real process. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #events = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Rises whenever somebody asked something of the clock. */
  get events(): number {
    return this.#events;
  }

  readonly nowMs = (): number => this.#nowMs;

  readonly after = (delayMs: number, call: () => void): (() => void) => {
    this.#events += 1;
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  readonly soon = (call: () => void): void => {
    this.#events += 1;
    realSoon(call);
  };

  /** When the next timer is due; undefined where there is none. */
  nextMs(): number | undefined {
    let next: number | undefined;
    for (const { atMs } of this.#timers) if (next === undefined || atMs < next) next = atMs;
    return next;
  }

  /** Moves on to that time, and calls what is due then, in the order in which it was asked for. */
  moveTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs || !this.#timers.delete(timer)) continue;
      this.#events += 1;
      timer.call();
    }
  }
}

/** One turn of the event loop. */
export function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => realSoon(resolve));
}
