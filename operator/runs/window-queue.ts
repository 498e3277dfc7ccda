import { roomOf, shareEvenly, type WindowFacts } from '#core/workflow/share-window.ts';
import { RecentCount } from './recent-count.ts';
import { TurnRing } from './turn-ring.ts';

/** Priorities there are: 9 is the most urgent. */
const priorities = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] as const;

/** What one run wants of one queue at one priority. */
export interface Bid {
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
  readonly #rings = new Map<number, TurnRing<Bid>>();
  readonly #ended = new RecentCount();
  /** Places that are kept for runs that have not come yet. */
  readonly #kept = new Set<Bid>();
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

  want(bid: Bid, wanted: number): void {
    this.#held += wanted - bid.wanted;
    bid.wanted = wanted;
    if (bid.allotted > wanted) this.#keep(bid, wanted);
    const ring = this.#ringOf(bid.priority);
    if (bid.wanted > bid.allotted) ring.join(bid);
    else ring.leave(bid);
  }

  /** Takes places that are kept for it, at most `most`. */
  grant(bid: Bid, most: number): number {
    const granted = Math.min(bid.allotted, most);
    this.#keep(bid, bid.allotted - granted);
    bid.wanted -= granted;
    this.#held -= granted;
    this.#inFlight += granted;
    this.#grantedSince += granted;
    return granted;
  }

  /** More of ours are in the queue or at workers than was known, or fewer. */
  change(inFlight: number): void {
    this.#inFlight = Math.max(0, this.#inFlight + inFlight);
  }

  /** Workers were done with so many just now: they will take as many again. */
  noteEnded(count: number, nowMs: number): void {
    this.#ended.add(count, nowMs);
  }

  /** The broker was asked. What was granted while the reading was under way may or may not be counted in it. */
  read(waiting: number): void {
    this.#waiting = waiting;
    this.#grantedBefore = this.#grantedSince;
    this.#grantedSince = 0;
  }

  /** Keeps the room that there is for those whose turn it is; the newly favoured are answered. */
  deal(slots: number | undefined, nowMs: number): readonly Bid[] {
    const dealt: Bid[] = [];
    let room = this.#held === 0 ? 0 : roomOf(this.#facts(slots, nowMs)) - this.#allotted;
    for (const priority of priorities) {
      const ring = room > 0 ? this.#rings.get(priority) : undefined;
      if (ring === undefined) continue;
      const bids = ring.first(room);
      const shares = shareEvenly(
        room,
        bids.map(({ wanted, allotted }) => wanted - allotted),
      );
      bids.forEach((bid, at) => {
        const share = shares[at] ?? 0;
        room -= share;
        this.#keep(bid, bid.allotted + share, nowMs);
        ring.serve(bid);
        if (bid.allotted === bid.wanted) ring.leave(bid);
        dealt.push(bid);
      });
    }
    return dealt;
  }

  /** Takes back places for which nobody has come since then; who did not come is passed over until it asks again. */
  takeBack(beforeMs: number): void {
    for (const bid of this.#kept) {
      // In the order in which they were dealt.
      if (bid.allottedAtMs > beforeMs) break;
      this.#keep(bid, 0);
      this.#ringOf(bid.priority).leave(bid);
    }
  }

  #facts(slots: number | undefined, nowMs: number): WindowFacts {
    const mostWaiting =
      this.#waiting === undefined ? undefined : this.#waiting + this.#grantedSince + this.#grantedBefore;
    return { slots, inFlight: this.#inFlight, endedLately: this.#ended.sum(nowMs), mostWaiting };
  }

  #keep(bid: Bid, places: number, nowMs?: number): void {
    this.#allotted += places - bid.allotted;
    bid.allotted = places;
    if (nowMs !== undefined) {
      bid.allottedAtMs = nowMs;
      this.#kept.delete(bid);
    }
    if (places === 0) this.#kept.delete(bid);
    else this.#kept.add(bid);
  }

  #ringOf(priority: number): TurnRing<Bid> {
    const ring = this.#rings.get(priority) ?? new TurnRing<Bid>();
    this.#rings.set(priority, ring);
    return ring;
  }
}
