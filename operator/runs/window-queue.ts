import { roomOf, shareEvenly, type WindowFacts } from '#core/workflow/share-window.ts';
import { RecentCount } from './recent-count.ts';
import { TurnRing } from './turn-ring.ts';

/** Priorities there are: 9 is the most urgent. */
const priorities = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] as const;

/** What one run wants of one queue at one priority. */
export interface Turn {
  readonly run: string;
  readonly priority: number;
  /** Due and not granted. */
  wanted: number;
  /** Places of the wanted that are kept for it until it comes for them. */
  allotted: number;
  allottedAtMs: number;
}

/** One queue as the window sees it: how full it is, who waits, whose turn it is. */
export class WindowQueue {
  readonly #rings = new Map<number, TurnRing<Turn>>();
  readonly #ended = new RecentCount();
  /** Places that are kept for runs that have not come yet. */
  readonly #kept = new Set<Turn>();
  #allotted = 0;
  #inFlight = 0;
  #held = 0;
  /** As last read from the broker, with what was granted since the reading before that one. */
  #waiting: number | undefined;
  #grantedSince = 0;
  #grantedBefore = 0;

  /** Due and not granted, over all runs. */
  get held(): number {
    return this.#held;
  }

  get isIdle(): boolean {
    return this.#held === 0 && this.#inFlight === 0;
  }

  /** Places are waiting for somebody, or somebody for places. */
  get isWatched(): boolean {
    return this.#held > 0;
  }

  want(turn: Turn, wanted: number): void {
    this.#held += wanted - turn.wanted;
    turn.wanted = wanted;
    if (turn.allotted > wanted) this.#keep(turn, wanted);
    const ring = this.#ringOf(turn.priority);
    if (turn.wanted > turn.allotted) ring.join(turn);
    else ring.leave(turn);
  }

  /** Takes places that are kept for it, at most `most`. */
  grant(turn: Turn, most: number): number {
    const granted = Math.min(turn.allotted, most);
    this.#keep(turn, turn.allotted - granted);
    turn.wanted -= granted;
    this.#held -= granted;
    this.#inFlight += granted;
    this.#grantedSince += granted;
    return granted;
  }

  /** More of ours are in the queue or at workers than was known, or fewer. */
  change(inFlight: number): void {
    this.#inFlight = Math.max(0, this.#inFlight + inFlight);
  }

  end(count: number, nowMs: number): void {
    this.change(-count);
    this.#ended.add(count, nowMs);
  }

  /** The broker was asked. What was granted while the reading was under way may or may not be counted in it. */
  read(waiting: number): void {
    this.#waiting = waiting;
    this.#grantedBefore = this.#grantedSince;
    this.#grantedSince = 0;
  }

  /** Keeps the room that there is for those whose turn it is; the newly favoured are answered. */
  deal(slots: number | undefined, nowMs: number): readonly Turn[] {
    const dealt: Turn[] = [];
    let room = this.#held === 0 ? 0 : roomOf(this.#facts(slots, nowMs)) - this.#allotted;
    for (const priority of priorities) {
      const ring = room > 0 ? this.#rings.get(priority) : undefined;
      if (ring === undefined) continue;
      const turns = ring.first(room);
      const shares = shareEvenly(
        room,
        turns.map(({ wanted, allotted }) => wanted - allotted),
      );
      turns.forEach((turn, at) => {
        const share = shares[at] ?? 0;
        room -= share;
        this.#keep(turn, turn.allotted + share, nowMs);
        ring.serve(turn);
        if (turn.allotted === turn.wanted) ring.leave(turn);
        dealt.push(turn);
      });
    }
    return dealt;
  }

  /** Takes back places for which nobody has come since then; who did not come is passed over until it asks again. */
  takeBack(beforeMs: number): void {
    for (const turn of this.#kept) {
      // In the order in which they were dealt.
      if (turn.allottedAtMs > beforeMs) break;
      this.#keep(turn, 0);
      this.#ringOf(turn.priority).leave(turn);
    }
  }

  #facts(slots: number | undefined, nowMs: number): WindowFacts {
    const mostWaiting =
      this.#waiting === undefined ? undefined : this.#waiting + this.#grantedSince + this.#grantedBefore;
    return { slots, inFlight: this.#inFlight, endedLately: this.#ended.sum(nowMs), mostWaiting };
  }

  #keep(turn: Turn, places: number, nowMs?: number): void {
    this.#allotted += places - turn.allotted;
    turn.allotted = places;
    if (nowMs !== undefined) {
      turn.allottedAtMs = nowMs;
      this.#kept.delete(turn);
    }
    if (places === 0) this.#kept.delete(turn);
    else this.#kept.add(turn);
  }

  #ringOf(priority: number): TurnRing<Turn> {
    const ring = this.#rings.get(priority) ?? new TurnRing<Turn>();
    this.#rings.set(priority, ring);
    return ring;
  }
}
