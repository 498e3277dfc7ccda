/** The keys of kombu's Redis transport and our own beside them, all under the connection's `keyPrefix`. */
export class BrokerKeys {
  readonly unacked: string;
  readonly unackedIndex: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.unacked = `${prefix}unacked`;
    this.unackedIndex = `${prefix}unacked_index`;
  }

  /** A list whose name kombu knows (`queueKey`). */
  list(name: string): string {
    return this.#prefix + name;
  }

  /** Publishers push a byte here, idle workers wait for one. */
  bell(queue: string): string {
    return `${this.#prefix}arp:bell:${queue}`;
  }

  /** Messages that will never be run, newest first, as JSON objects `{reason, message, at, text}`. */
  dead(queue: string): string {
    return `${this.#prefix}arp:dead:${queue}`;
  }

  /** Counts a pod's incarnations; every number below it is gone. */
  counter(podUid: string): string {
    return `${this.#prefix}arp:i:${podUid}`;
  }

  lease(incarnation: string): string {
    return `${this.#prefix}arp:w:${incarnation}`;
  }

  /** Ids of messages that were taken back but could not be found in their queue, by the second of their marking. */
  get marked(): string {
    return `${this.#prefix}arp:marked`;
  }

  /** The channel of one of kombu's fanout exchanges: pub/sub knows no databases, so it names its own. */
  channel(db: number, exchange: string): string {
    return `${this.#prefix}/${db}.${exchange}`;
  }

  /** Who is to get what is sent to one of kombu's exchanges. */
  binding(exchange: string): string {
    return `${this.#prefix}_kombu.binding.${exchange}`;
  }
}

/** Bells hold no more than this: one is enough to wake a worker, which rings for the next. */
export const BELL_BYTES = 64;

/** Dead letters kept per queue, the newest. */
export const DEAD_LETTERS = 10_000;

/** How long an incarnation counter is remembered after the pod is gone. */
export const RETIRED_SECONDS = 7 * 86_400;

/** How long a mark is good: longer than a message may well wait. */
export const MARKED_SECONDS = 7 * 86_400;
