/** Who holds a message of which queue, as our workers write it into kombu's books. */
export interface TagParts {
  readonly podUid: string;
  /** The incarnation's number. */
  readonly n: number;
  readonly queue: string;
  /** Counts up in the order in which the incarnation took its messages. */
  readonly number: number;
}

/** Everything of an incarnation's tags before the queue's name; behind the name follow `:` and a number. */
export function tagHead(incarnation: string): string {
  return `arp:${incarnation}:`;
}

const shape = /^arp:([^:.]+)\.(\d+):(.+):(\d+)$/s;

/** Undefined for the tag of a Celery worker. */
export function parseTag(tag: string): TagParts | undefined {
  const [, podUid, n, queue, number] = shape.exec(tag) ?? [];
  return podUid === undefined || queue === undefined
    ? undefined
    : { podUid, n: Number(n), queue, number: Number(number) };
}
