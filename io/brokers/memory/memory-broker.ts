import { revokeRequest } from '#core/celery/control-message.ts';
import { inspectRequest } from '#core/celery/inspection.ts';
import { queueKey, queueKeys } from '#core/celery/queue-key.ts';
import { markRedelivered } from '#core/celery/redelivery.ts';
import type { Broker, ControlAnswer, DeadLetter, Delivery, Holding, Publication } from '../broker.ts';
import { takeCensus, type Census } from '../census.ts';
import { parseTag } from '../delivery-tag.ts';
import { messageId, messagePriority } from '../message-text.ts';

interface ObeyingWorker {
  readonly nodename: string;
  readonly answer: ControlAnswer;
}

/** A broker within one process. The most urgent message of a list is its last. */
export class MemoryBroker implements Broker {
  readonly dead: DeadLetter[] = [];
  readonly #lists = new Map<string, string[]>();
  readonly #held = new Map<string, Delivery>();
  readonly #counters = new Map<string, number>();
  readonly #bells = new Set<() => void>();
  readonly #obeying = new Set<ObeyingWorker>();

  publish(publications: readonly Publication[]): Promise<void> {
    for (const { queue, priority, text } of publications) this.#list(queueKey(queue, priority)).unshift(text);
    this.#ring();
    return Promise.resolve();
  }

  waiting(queues: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map(queues.map((queue) => [queue, this.count(queue)])));
  }

  count(queue: string): number {
    return queueKeys(queue).reduce((sum, key) => sum + this.#list(key).length, 0);
  }

  holdings(): Promise<readonly Holding[]> {
    const holdings = [...this.#held.values()].map(({ tag, queue }) => {
      const parts = parseTag(tag);
      return { tag, queue, incarnation: parts === undefined ? undefined : `${parts.podUid}.${parts.n}` };
    });
    return Promise.resolve(holdings);
  }

  find(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const texts = [
      ...queueKeys(queue).flatMap((key) => this.#list(key)),
      ...[...this.#held.values()].map(({ text }) => text),
    ];
    return Promise.resolve(new Set(texts.flatMap((text) => messageId(text) ?? []).filter((id) => ids.has(id))));
  }

  withdraw(queue: string, ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const withdrawn = new Set<string>();
    for (const key of queueKeys(queue)) {
      const left = this.#list(key).filter((text) => {
        const id = messageId(text);
        if (id === undefined || !ids.has(id)) return true;
        withdrawn.add(id);
        return false;
      });
      this.#lists.set(key, left);
    }
    return Promise.resolve(withdrawn);
  }

  revoke(ids: ReadonlySet<string>): Promise<void> {
    const request = revokeRequest([...ids]);
    for (const { answer } of this.#obeying) answer(request);
    return Promise.resolve();
  }

  ask(ids: ReadonlySet<string>): Promise<Census> {
    return takeCensus(ids, (methods, about) => {
      const workers = [...this.#obeying];
      const replies = methods.map((method) => {
        const request = inspectRequest(method, about, { routingKey: 'memory', ticket: method });
        return [method, workers.map(({ nodename, answer }) => ({ nodename, answer: answer(request) }))] as const;
      });
      return Promise.resolve({ heard: workers.length, replies: new Map(replies) });
    });
  }

  restoreGone(podUid: string): Promise<number> {
    const living = this.#counters.get(podUid) ?? 0;
    const gone = [...this.#held.values()].filter(({ tag }) => {
      const parts = parseTag(tag);
      return parts?.podUid === podUid && parts.n < living;
    });
    for (const { tag, queue, text } of gone.reverse()) {
      const marked = markRedelivered(text);
      this.#held.delete(tag);
      if (marked === undefined)
        this.dead.push({ queue, reason: 'NotJson', message: 'the message is no JSON object', text });
      else this.#list(queueKey(queue, messagePriority(marked))).push(marked);
    }
    this.#ring();
    return Promise.resolve(gone.length);
  }

  /** What stands in the books under this head of a tag. */
  heldUnder(head: string): readonly Delivery[] {
    return [...this.#held.values()].filter(({ tag }) => tag.startsWith(head));
  }

  async retire(podUid: string): Promise<number> {
    this.begin(podUid);
    return this.restoreGone(podUid);
  }

  /** The number of a new incarnation. */
  begin(podUid: string): number {
    const n = (this.#counters.get(podUid) ?? 0) + 1;
    this.#counters.set(podUid, n);
    return n;
  }

  take(list: string, delivery: Omit<Delivery, 'text'>): Delivery | undefined {
    const text = this.#list(list).pop();
    if (text === undefined) return undefined;
    const taken = { ...delivery, text };
    this.#held.set(taken.tag, taken);
    return taken;
  }

  release(tag: string): void {
    this.#held.delete(tag);
  }

  handBack({ tag, queue, text }: Delivery): void {
    if (!this.#held.delete(tag)) return;
    this.#list(queueKey(queue, messagePriority(text))).push(text);
    this.#ring();
  }

  /** Called at every publication, until taken back. */
  onRing(call: () => void): () => void {
    this.#bells.add(call);
    return () => this.#bells.delete(call);
  }

  /** Hears what is said to workers, until taken back. */
  onControl(worker: ObeyingWorker): () => void {
    this.#obeying.add(worker);
    return () => this.#obeying.delete(worker);
  }

  #list(name: string): string[] {
    const list = this.#lists.get(name) ?? [];
    this.#lists.set(name, list);
    return list;
  }

  #ring(): void {
    for (const call of this.#bells) queueMicrotask(call);
  }
}
