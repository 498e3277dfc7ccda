import type { JsonText } from '../base/json-text.ts';
import type { Embed } from './embed.ts';

/** `[hard, soft]` in seconds, hard first; null for none. */
export type TimeLimit = readonly [hard: number | null, soft: number | null];

/** A task message of Celery's protocol 2 as a worker sees it; dates are ISO 8601 text. */
export interface TaskMessage {
  readonly id: string;
  readonly task: string;
  /** The text of an array, numbers as written. */
  readonly argsText: JsonText;
  /** The text of an object, numbers as written. */
  readonly kwargsText: JsonText;
  readonly embed: Embed;
  readonly shadow: string | null;
  readonly eta: string | null;
  readonly expires: string | null;
  /** Group id: a member of a group or of a chord's header. */
  readonly group: string | null;
  /** This member's place in its chord's list. */
  readonly groupIndex: number | null;
  readonly retries: number;
  readonly timelimit: TimeLimit;
  readonly rootId: string;
  readonly parentId: string | null;
  /** null: the sender did not know the task. */
  readonly ignoreResult: boolean | null;
  readonly replacedTaskNesting: number;
  readonly stampedHeaders: JsonText;
  readonly stamps: JsonText;
  /** Every header that Celery does not know, by name: they live through retries. */
  readonly headers: ReadonlyMap<string, JsonText>;
  readonly replyTo: string;
  readonly priority: number;
  /** The routing key, which by default is the queue's name. */
  readonly routingKey: string;
  /** The broker has handed this very message out before. */
  readonly redelivered: boolean;
}

/** What a publisher has to say; everything else is Celery's default. */
export type TaskMessageDraft = Pick<TaskMessage, 'id' | 'task' | 'argsText' | 'kwargsText'> &
  Partial<Omit<TaskMessage, 'routingKey' | 'redelivered'>> & {
    /** The queue on the wire. */
    readonly queue: string;
    /** Unique per publication, also of the same message again. A UUID by custom. */
    readonly deliveryTag: string;
    /** Who sends; information only. Default `arpeggio`. */
    readonly origin?: string;
    /** Milliseconds left when `expires` is set; RabbitMQ enforces it, Redis ignores it. */
    readonly expirationMs?: number;
  };

/** Header of every message of a run: `<uid>/<step>/<member>`, the same over attempts and rounds. */
export const keyHeader = 'arpeggio_key';

/** Header of a message that is not to run again once a worker was lost with it: `"Fail"`. */
export const onLostHeader = 'arpeggio_on_lost';

/** Header of a message that was handed back: `[retries, deliveries]`. */
export const deliveriesHeader = 'arpeggio_deliveries';
