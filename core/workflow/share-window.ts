/**
 * The window: how many messages of workflows a queue may hold that no worker has claimed. It is short, so that the
 * engine's own queue is the real one: there a cancel costs nothing, priority is first, and runs take turns.
 */

/** What is known of one queue. */
export interface WindowFacts {
  /** Places for running tasks at live workers; undefined while no worker is known. */
  readonly slots: number | undefined;
  /** Messages of ours that were published and whose end is not known. */
  readonly inFlight: number;
  /** Tasks of ours that workers answered within the last 100 ms: what they claim as fast as that must find as much. */
  readonly endedLately: number;
  /** The most of ours that can still be waiting, as the broker itself tells; undefined when it was not asked. */
  readonly mostWaiting?: number | undefined;
}

/** Messages that may wait for each slot, and beside that at any queue. */
const messagesPerSlot = 2;
const messagesBeside = 16;
/** While no worker is known: enough that the first to come has something to do at once. */
const messagesUnserved = 64;

/** How many messages of a queue may be unclaimed at one time. */
export function allowedUnclaimed({ slots = 0, endedLately }: WindowFacts): number {
  const usual = slots === 0 ? messagesUnserved : messagesPerSlot * slots + messagesBeside;
  return Math.max(usual, endedLately);
}

/**
 * How many messages of a queue are held to be unclaimed. A worker with a free slot claims at once, so what is in flight
 * fills the slots first; where the broker has fewer waiting than follows from that, others than the known workers claim.
 */
export function unclaimedOf({ slots = 0, inFlight, mostWaiting = Infinity }: WindowFacts): number {
  return Math.min(inFlight - Math.min(inFlight, slots), mostWaiting);
}

/** How many more may be published now; never negative. */
export function roomOf(facts: WindowFacts): number {
  const { slots = 0, inFlight } = facts;
  const allowed = allowedUnclaimed(facts);
  const freeSlots = Math.max(0, slots - inFlight);
  return Math.max(0, allowed - unclaimedOf(facts) + freeSlots);
}

/**
 * Divides places among runs of one priority, given in the order of their turns as what each wants: alike, what one does
 * not need goes to the others, and a remainder to those whose turn comes first. All places are given away as long as
 * anyone wants one.
 */
export function shareEvenly(places: number, wanted: readonly number[]): readonly number[] {
  const given = new Array<number>(wanted.length).fill(0);
  let left = places;
  let open = wanted.map((_, at) => at).filter((at) => (wanted[at] ?? 0) > 0);
  while (left > 0 && open.length > 0) {
    const each = Math.max(1, Math.floor(left / open.length));
    const next: number[] = [];
    for (const at of open) {
      const wish = (wanted[at] ?? 0) - (given[at] ?? 0);
      const share = Math.min(wish, each, left);
      given[at] = (given[at] ?? 0) + share;
      left -= share;
      if (share < wish) next.push(at);
    }
    open = next;
  }
  return given;
}
