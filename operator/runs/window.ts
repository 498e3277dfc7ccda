import type { Clock } from './run-ports.ts';
import { WindowQueue, type Bid } from './window-queue.ts';

/** Looked at again so often while something is held: workers come and go without a word. */
const lookAgainMs = 100;
/** Places are kept for a run this long after it was told of them. */
const keptForMs = 250;

/** The priority of a task that names none: on Redis, Celery's messages without one are served first. */
export const usualPriority = 9;

export interface WindowOptions {
  readonly clock: Clock;
  /** Places for running tasks at live workers of a queue, by its name on the wire; undefined while none is known. */
  readonly slotsOf: (queue: string) => number | undefined;
  /** There are places for these runs: each should soon ask for its grants. */
  readonly onRoom: (runs: readonly string[]) => void;
}

/** One run's part in one queue. */
interface Part {
  readonly bids: Map<number, Bid>;
  inFlight: number;
}

interface Wish {
  readonly queueName: string;
  readonly part: Part;
  readonly counts: ReadonlyMap<number, number>;
}

/**
 * How much of what is due may be published now: one for each engine, over all its runs. A run says what it wants and
 * takes its grants in the same breath; when there are places for it later, it is told. Queues are called by their names
 * on the wire.
 */
export class Window {
  readonly #options: WindowOptions;
  readonly #queues = new Map<string, WindowQueue>();
  readonly #runs = new Map<string, Map<string, Part>>();
  readonly #untold = new Set<Bid>();
  #isTelling = false;
  #stopLooking: (() => void) | undefined;
  #isClosed = false;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /**
   * Says all that a run has due, by queue and then by priority (0 to 9, 9 first); it replaces what the run wanted before.
   * Nothing of it is granted yet.
   */
  want(run: string, wishes: ReadonlyMap<string, ReadonlyMap<number, number>>): void {
    for (const [queueName, part] of this.#runs.get(run) ?? []) {
      if (!wishes.has(queueName)) this.#replace(run, { queueName, part, counts: new Map() });
    }
    for (const [queueName, counts] of wishes) {
      this.#replace(run, { queueName, part: this.#partOf(run, queueName), counts });
    }
  }

  /** How many of these the run may publish now, at most `most`: they count as published, unless they are given back. */
  grant(run: string, queueName: string, priority: number, most: number): number {
    const part = this.#runs.get(run)?.get(queueName);
    const bid = part?.bids.get(priority);
    if (part === undefined || bid === undefined) return 0;
    const granted = this.#queueOf(queueName).grant(bid, most);
    part.inFlight += granted;
    return granted;
  }

  /** What was granted and not published, because the store refused, say. */
  giveBack(run: string, queueName: string, count: number): void {
    if (!this.#runs.has(run)) return;
    this.#change(run, queueName, -count);
    this.#dealSoon();
  }

  /** What a run has in flight, by queue: said when it is taken over, and whenever what the store holds was read anew. */
  inFlight(run: string, counts: ReadonlyMap<string, number>): void {
    for (const [queueName, part] of this.#runs.get(run) ?? []) {
      if (!counts.has(queueName)) this.#change(run, queueName, -part.inFlight);
    }
    for (const [queueName, count] of counts) {
      this.#change(run, queueName, count - this.#partOf(run, queueName).inFlight);
    }
  }

  /** Workers answered messages of the run: as many as they took of late may wait, should that be more than usual. */
  ended(run: string, queueName: string, count: number): void {
    const ended = this.#leave(run, queueName, count);
    if (ended > 0) this.#queueOf(queueName).noteEnded(ended, this.#options.clock.nowMs());
  }

  /** Messages of the run were taken back, or are known to be lost: room for others, and no sign of how fast workers are. */
  gone(run: string, queueName: string, count: number): void {
    this.#leave(run, queueName, count);
  }

  /** As read from the broker: messages of anyone that no worker has claimed. */
  read(queueName: string, waiting: number): void {
    this.#queues.get(queueName)?.read(waiting);
  }

  /** The run has ended, or nothing of it may be published any more. */
  drop(run: string): void {
    const parts = this.#runs.get(run);
    if (parts === undefined) return;
    this.#runs.delete(run);
    for (const [queueName, { bids, inFlight }] of parts) {
      const queue = this.#queueOf(queueName);
      for (const bid of bids.values()) queue.want(bid, 0);
      queue.change(-inFlight);
      if (queue.isIdle) this.#queues.delete(queueName);
    }
    this.#dealSoon();
  }

  /** What is due and kept back, by queue; a queue of which nothing is kept back is left out. */
  held(): ReadonlyMap<string, number> {
    return new Map([...this.#queues].flatMap(([name, { held }]) => (held > 0 ? [[name, held] as const] : [])));
  }

  close(): void {
    this.#isClosed = true;
    this.#stopLooking?.();
    this.#untold.clear();
  }

  #replace(run: string, { queueName, part: { bids }, counts }: Wish): void {
    const queue = this.#queueOf(queueName);
    for (const [priority, bid] of bids) {
      if (counts.has(priority)) continue;
      queue.want(bid, 0);
      bids.delete(priority);
    }
    for (const [priority, wanted] of counts) queue.want(bidOf(bids, run, priority), wanted);
    this.#deal(queueName, queue);
  }

  #deal(name: string, queue: WindowQueue): void {
    for (const bid of queue.deal(this.#options.slotsOf(name), this.#options.clock.nowMs())) this.#untold.add(bid);
    if (queue.isWatched) this.#lookLater();
    if (this.#untold.size > 0) this.#dealSoon();
  }

  /** Once for all that happens in this moment; whoever has taken its places by then need not be told. */
  #dealSoon(): void {
    if (this.#isTelling || this.#isClosed) return;
    this.#isTelling = true;
    this.#options.clock.soon(() => {
      for (const [name, queue] of this.#queues) if (queue.isWatched) this.#deal(name, queue);
      this.#isTelling = false;
      const runs = new Set([...this.#untold].flatMap(({ run, allotted }) => (allotted > 0 ? [run] : [])));
      this.#untold.clear();
      if (runs.size > 0 && !this.#isClosed) this.#options.onRoom([...runs]);
    });
  }

  #lookLater(): void {
    if (this.#stopLooking !== undefined || this.#isClosed) return;
    this.#stopLooking = this.#options.clock.after(lookAgainMs, () => {
      this.#stopLooking = undefined;
      const beforeMs = this.#options.clock.nowMs() - keptForMs;
      for (const [name, queue] of this.#queues) {
        queue.takeBack(beforeMs);
        this.#deal(name, queue);
      }
    });
  }

  /** How many of these were in flight, and are no longer. */
  #leave(run: string, queueName: string, count: number): number {
    const part = this.#runs.get(run)?.get(queueName);
    if (part === undefined) return 0;
    const left = Math.min(count, part.inFlight);
    part.inFlight -= left;
    this.#queueOf(queueName).change(-left);
    this.#dealSoon();
    return left;
  }

  #change(run: string, queueName: string, inFlight: number): void {
    this.#partOf(run, queueName).inFlight += inFlight;
    this.#queueOf(queueName).change(inFlight);
  }

  #queueOf(name: string): WindowQueue {
    const queue = this.#queues.get(name) ?? new WindowQueue();
    this.#queues.set(name, queue);
    return queue;
  }

  #partOf(run: string, queueName: string): Part {
    const parts = this.#runs.get(run) ?? new Map<string, Part>();
    const part = parts.get(queueName) ?? { bids: new Map(), inFlight: 0 };
    this.#runs.set(run, parts.set(queueName, part));
    return part;
  }
}

function bidOf(bids: Map<number, Bid>, run: string, priority: number): Bid {
  const bid = bids.get(priority) ?? { run, priority, wanted: 0, allotted: 0, allottedAtMs: 0 };
  bids.set(priority, bid);
  return bid;
}
