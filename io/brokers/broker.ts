import type { ControlRequest } from '#core/celery/control-message.ts';
import type { ResultWrite } from '../results/result-store.ts';
import type { Census } from './census.ts';

/** One message on its way to a queue. */
export interface Publication {
  /** The queue's name on the wire. */
  readonly queue: string;
  /** Celery's number for this broker: on Redis 0 is the most urgent. */
  readonly priority: number;
  /** As `encodeTaskMessage` writes it. */
  readonly text: string;
}

/** A message in a worker's hands, with the tag by which it is released. */
export interface Delivery {
  readonly tag: string;
  readonly queue: string;
  readonly text: string;
  /** It was taken back after all, where it could not be found: it is not to be run. */
  readonly isWithdrawn?: boolean;
}

/** A message that will never be run, and why. */
export interface DeadLetter {
  readonly queue: string;
  /** One CamelCase word. */
  readonly reason: string;
  /** One sentence for a person; never a value that a user passed. */
  readonly message: string;
  /** The message as it was. */
  readonly text: string;
}

/** What one finished run of a task leaves behind. Each part is done before the next; all of it may be done twice. */
export interface Settlement {
  readonly publications: readonly Publication[];
  readonly results: readonly ResultWrite[];
  readonly deadLetters: readonly DeadLetter[];
  /** The delivery that is done with; undefined leaves it in the worker's hands. */
  readonly tag: string | undefined;
}

/** A message that some worker holds. */
export interface Holding {
  readonly tag: string;
  /** `<podUID>.<n>` of one of our workers; undefined for Celery's own. */
  readonly incarnation: string | undefined;
  readonly queue: string | undefined;
}

/** The broker could not be reached or did not answer in time: nothing is known of what it did. */
export class BrokerUnavailable extends Error {
  override readonly name = 'BrokerUnavailable';
  /** It did answer, did nothing, and never will do this: a queue's key holds something that is no list, say. */
  readonly isRefusal: boolean;

  constructor(
    message: string,
    { isRefusal = false, ...options }: ErrorOptions & { readonly isRefusal?: boolean } = {},
  ) {
    super(message, options);
    this.isRefusal = isRefusal;
  }
}

/** What publishers and overseers do with a broker. Every method throws `BrokerUnavailable` and nothing else. */
export interface Broker {
  publish(publications: readonly Publication[]): Promise<void>;
  /** Messages that wait, by queue; a queue that does not exist has none. */
  waiting(queues: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Every message in a worker's hands, of all queues of this broker. */
  holdings(): Promise<readonly Holding[]>;
  /**
   * Those of these ids whose message waits in the queue or is in a worker's hands; all of them when a priority list is
   * too deep to be read whole (10,000 messages).
   */
  find(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  /**
   * Takes back waiting messages of these ids and says which; those in a worker's hands stay. Where a priority list is
   * too deep to be read whole (10,000 messages), what was not found is marked, so that our workers do not run it, and
   * Celery's are told so; their results then say REVOKED.
   */
  withdraw(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  /**
   * Tells every worker, ours and Celery's, to run none of these tasks and to end those that run: Celery's `revoke` with
   * `terminate`. A worker that is not connected does not hear it. Their results then say REVOKED.
   */
  revoke(ids: ReadonlySet<string>): Promise<void>;
  /**
   * Asks every worker, ours and Celery's, which of these tasks it holds: by Celery's `active`, and of those that nobody
   * runs by `query_task`, `scheduled` and `stats`. Takes up to four seconds where a worker does not answer.
   */
  ask(ids: ReadonlySet<string>): Promise<Census>;
  /**
   * Hands back what gone incarnations of a pod hold: to the front of their queues, marked redelivered, counted. An
   * incarnation is gone when the pod's counter is above it. Returns how many messages went back.
   */
  restoreGone(podUid: string): Promise<number>;
  /** Records that the pod is gone for good, with every incarnation that there was, and hands back what it holds. */
  retire(podUid: string): Promise<number>;
}

/** What a worker does when it is asked something by remote control, and answers: JSON, undefined for no answer. */
export type ControlAnswer = (request: ControlRequest) => unknown;

/** A worker's side: one incarnation that takes from some queues. Every method throws `BrokerUnavailable` and nothing else. */
export interface Consumer {
  /** `<podUID>.<n>`. */
  readonly incarnation: string;
  /** Takes up to `most` messages, most urgent first, the queues in turn. They are in this worker's hands at once. */
  claim(most: number): Promise<readonly Delivery[]>;
  /**
   * Performs what finished runs left behind, in one exchange where the broker can. Where results are stored elsewhere a
   * refusal may be that of one of them, and come after other parts: what was sent is not sent again with these settlements.
   */
  settle(batch: readonly Settlement[]): Promise<void>;
  /** Returns messages that were not begun to the front of their queues, as they were and in their order. */
  handBack(deliveries: readonly Delivery[]): Promise<void>;
  /** Resolves when there may be something to claim, at the latest when the signal aborts. Never rejects. */
  awaitWork(signal: AbortSignal): Promise<void>;
  /**
   * Hears Celery's remote control on behalf of the worker of this nodename, from when it resolves until the consumer is
   * closed. What is said while the connection is away is not heard. Rejects when the account may not listen.
   */
  obey(nodename: string, answer: ControlAnswer): Promise<void>;
  close(): void;
}
