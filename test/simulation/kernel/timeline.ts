import type { Timers } from '#core/base/timers.ts';
import type { Clock } from '#operator/runs/run-ports.ts';
import type { Actor } from './actor.ts';
import { TimedAgenda, type Agenda, type Happening } from './agenda.ts';
import type { Chance } from './chance.ts';

/** When virtual time begins: 1 January 2026. */
export const epochMs = Date.UTC(2026, 0, 1);

/** Happenings of one moment beyond which it will not end. */
const mostAtOnce = 2_000;
const usualMostInAll = 30_000;

/** The world stands still while someone in it is busy. */
export class Spinning extends Error {
  override readonly name = 'Spinning';
}

/** Taken before anything is trapped: one turn of the event loop lets every promise that can settle do so. */
const nextTurn = setImmediate;

export interface TimelineOptions {
  readonly chance: Chance;
  readonly agenda?: Agenda;
  /** No world needs more happenings: something in it never rests. Default 30,000. */
  readonly mostInAll?: number;
  /** Told each line of the trace; absent: only the hash of it is kept. */
  readonly tell?: ((atMs: number, who: string, what: string) => void) | undefined;
  /** Called after each happening, when all that follows at once from it is done. Throws what ends the run. */
  readonly afterEach?: () => void;
}

/** All time and all order of one simulated world. Nothing happens in it that did not stand in its agenda. */
export class Timeline {
  nowMs = 0;
  /** Happenings so far. */
  count = 0;
  /** Of every happening in its order: two runs with one hash were one run. */
  hash = 0x811c9dc5;
  readonly #options: TimelineOptions;
  readonly #agenda: Agenda;
  #seq = 0;
  #spinsAtMs = 0;
  #spins = 0;

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#agenda = options.agenda ?? new TimedAgenda();
  }

  get isTold(): boolean {
    return this.#options.tell !== undefined;
  }

  /** Adds an exchange that is under way; the returned function takes it back. */
  at(atMs: number, actor: Actor, what: string, run: () => void): () => void {
    return this.#add({ atMs, actor, what, run, kind: 'Io' });
  }

  in(delayMs: number, actor: Actor, what: string, run: () => void): () => void {
    return this.at(this.nowMs + delayMs, actor, what, run);
  }

  /** Adds what happens because someone waits for so much time to pass. */
  timer(delayMs: number, actor: Actor, what: string, run: () => void): () => void {
    return this.#add({ atMs: this.nowMs + delayMs, actor, what, run, kind: 'Timer' });
  }

  #add(given: Omit<Happening, 'tie' | 'seq' | 'isOff'>): () => void {
    const tie = this.#options.chance.next();
    const happening: Happening = { ...given, tie, seq: (this.#seq += 1), isOff: false };
    this.#agenda.push(happening);
    return () => void (happening.isOff = true);
  }

  /** A line for whoever reads the trace; it changes no hash. */
  tell(who: string, what: () => string): void {
    this.#options.tell?.(this.nowMs, who, what());
  }

  resume(actor: Actor): void {
    // In the order in which they would have come: no connection turns its lines about.
    for (const [nth, { what, run, kind }] of actor.resume().entries()) {
      this.#add({ atMs: this.nowMs + nth * 0.0001, actor, what, run, kind });
    }
  }

  /** Until `isOver` says so, nothing is left, or so much time has passed. */
  async run(isOver: () => boolean, untilMs: number): Promise<void> {
    while (!isOver()) {
      const next = this.#agenda.pop();
      if (next === undefined) return;
      if (next.isOff || next.actor.isDead) continue;
      if (next.actor.state === 'Paused') {
        next.actor.deferred.push(next);
        continue;
      }
      if (next.atMs > untilMs) {
        this.#agenda.push(next);
        return;
      }
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.#note(next);
      this.#watchSpinning(next);
      next.run();
      await new Promise((resolve) => nextTurn(resolve));
      this.#options.afterEach?.();
    }
  }

  /** The clock of one actor, wrong by `offsetMs`. */
  clockOf(actor: Actor, offsetMs = 0): Clock {
    return {
      nowMs: () => Math.floor(epochMs + this.nowMs + offsetMs),
      after: (delayMs, call) => this.timer(delayMs, actor, 'timer', call),
      soon: (call) => void this.at(this.nowMs, actor, 'turn', call),
    };
  }

  timersOf(actor: Actor, chance: Chance): Timers {
    return {
      nowMs: () => this.nowMs,
      after: (delayMs, call) => this.timer(delayMs, actor, 'timer', call),
      chance: () => chance.next(),
    };
  }

  /** A process that never lets time pass would never end. */
  #watchSpinning({ actor, what }: Happening): void {
    if (this.nowMs !== this.#spinsAtMs) {
      this.#spinsAtMs = this.nowMs;
      this.#spins = 0;
    }
    this.#spins += 1;
    const { mostInAll = usualMostInAll } = this.#options;
    if (this.count > mostInAll)
      throw new Spinning(`${mostInAll} happenings and no end: now ${actor.name} does ${what}`);
    if (this.#spins > mostAtOnce) throw new Spinning(`${actor.name} spins: ${what} for ever, and no time passes`);
  }

  #note({ actor, what }: Happening): void {
    this.count += 1;
    let hash = Math.imul(this.hash ^ Math.round(this.nowMs * 1000), 0x01000193);
    for (let i = 0; i < what.length; i += 1) hash = Math.imul(hash ^ what.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ actor.name.length ^ actor.name.charCodeAt(actor.name.length - 1), 0x01000193);
    this.hash = hash;
    this.#options.tell?.(this.nowMs, actor.name, what);
  }
}
