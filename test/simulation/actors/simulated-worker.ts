import type { JsonText } from '#core/base/json-text.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { queueKeys } from '#core/celery/queue-key.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { TaskMessage } from '#core/celery/task-message.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import { tagHead } from '#io/brokers/delivery-tag.ts';
import { messageId } from '#io/brokers/message-text.ts';
import { Actor } from '../kernel/actor.ts';
import type { Chance } from '../kernel/chance.ts';
import type { Faults } from '../kernel/faults.ts';
import { Link, type LinkOptions } from '../kernel/link.ts';
import { epochMs, type Timeline } from '../kernel/timeline.ts';
import type { FakeRedis } from '../servers/fake-redis.ts';
import { Violation } from '../oracle/violation.ts';
import { failures } from '../servers/redis-ports.ts';
import { revoked, runMessage, type BodyEnd, type Called, type Performed } from './run-message.ts';

export interface WorkerSettings {
  readonly podUid: string;
  readonly queues: readonly string[];
  /** Messages taken at once. */
  readonly prefetch: number;
  /** Tasks run at once. */
  readonly slots: number;
  /** Until then it takes nothing; virtual time. */
  readonly pausedUntilMs: number;
  /** How long a task usually takes. */
  readonly taskMs: number;
  /** Tells STARTED before it begins. */
  readonly tellsStart: boolean;
}

export interface WorkerSurroundings {
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly chance: Chance;
  readonly broker: FakeRedis;
  readonly results: FakeRedis;
  readonly latencyMs: number;
  readonly witness: LinkOptions['witness'];
  /** The body of a task runs; says how it ends. */
  readonly execute: (called: Called) => BodyEnd;
  readonly hasFailed: (id: string) => boolean;
  /** A message was taken from its queue. */
  readonly claimed: (delivery: Delivery) => void;
  /** It got what no worker should get. */
  readonly broken: (violation: Violation) => void;
  /** The process is dead; the pod may get another one. */
  readonly died: (worker: SimulatedWorker) => void;
  /** The cluster takes the pod for gone, though it works on. */
  readonly thoughtDead: (worker: SimulatedWorker) => void;
}

/** An idle worker is woken by a bell, and looks by itself so often: not everything rings. */
const idleMs = 2_000;

/** One worker process: claims, runs, stores, acknowledges — and dies between any two of them. */
export class SimulatedWorker {
  readonly actor: Actor;
  readonly settings: WorkerSettings;
  readonly #around: WorkerSurroundings;
  readonly #toBroker: Link;
  readonly #toResults: Link;
  #n = 0;
  #startedMs = 0;
  #claimed = 0;
  #unheard: readonly Delivery[] = [];
  /** The broker's, as this worker was last connected to it. */
  #connectedTo = 0;
  readonly #revoked = new Set<string>();
  /** What is taken and not acknowledged, by tag. */
  readonly #inHand = new Map<string, Delivery>();
  /** What runs and how to stop it, by tag: one message may be there twice. */
  readonly #running = new Map<string, { readonly id: string; readonly interrupt: () => void }>();
  /** Tags of what it will never finish. */
  readonly #hung = new Set<string>();
  #isDraining = false;
  #wake: (() => void) | undefined;

  constructor(settings: WorkerSettings, around: WorkerSurroundings) {
    this.settings = settings;
    this.#around = around;
    this.actor = new Actor(settings.podUid);
    const common = { ...around, client: this.actor };
    this.#toBroker = new Link({ ...common, server: around.broker, failure: failures.broker });
    this.#toResults = new Link({ ...common, server: around.results, failure: failures.results });
  }

  /** The number of this incarnation. */
  get n(): number {
    return this.#n;
  }

  get uptimeMs(): number {
    return this.#around.timeline.nowMs - this.#startedMs;
  }

  /** Ids of the messages that it has taken and not acknowledged. */
  get heldIds(): readonly string[] {
    return [...this.#inHand.values()].flatMap(({ text }) => messageId(text) ?? []);
  }

  /** Tasks that it runs now. */
  get busy(): number {
    return Math.min(this.settings.slots, this.#inHand.size);
  }

  /** It works on something that it will never finish. */
  get isHung(): boolean {
    return this.#hung.size > 0;
  }

  start(): void {
    this.#startedMs = this.#around.timeline.nowMs;
    void this.#live();
  }

  /**
   * As at SIGTERM: claims nothing more, finishes what it runs and ends. After so long it tells that it does not wait any
   * more, hands back what is unfinished and ends.
   */
  drain(ms: number, leaving: () => void): void {
    this.#isDraining = true;
    this.#around.timeline.timer(ms, this.actor, 'has drained long enough', () => {
      leaving();
      void this.#leave();
    });
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Does not begin these, and ends the one that it runs, if the chance says that it can be stopped. */
  revoke(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#revoked.add(id);
    for (const { id, interrupt } of [...this.#running.values()])
      if (ids.has(id) && this.#around.chance.happens(0.7)) interrupt();
  }

  kill(): void {
    if (this.actor.isDead) return;
    this.actor.kill();
    this.#around.died(this);
  }

  async #live(): Promise<void> {
    await this.#untilDone('register', () => {
      const { podUid } = this.settings;
      return this.#around.broker.change(({ broker }) => {
        this.#n = broker.begin(podUid);
        return broker.restoreGone(podUid);
      });
    });
    const pausedMs = this.settings.pausedUntilMs - this.#around.timeline.nowMs;
    if (pausedMs > 0) await this.#rest(pausedMs, 'paused');
    while (!this.#isDraining) {
      const deliveries = await this.#claim();
      if (deliveries.length === 0) await this.#rest(idleMs * (0.5 + this.#around.chance.next()), 'idle', true);
      await this.#workAll(this.#inOrder(deliveries));
    }
    await this.#leave();
  }

  /** As many at once as there are slots; of what it has not begun when it is asked to stop it begins none. */
  async #workAll(deliveries: readonly Delivery[]): Promise<void> {
    const { slots } = this.settings;
    for (let at = 0; at < deliveries.length && !this.#isDraining; at += slots) {
      await Promise.all(deliveries.slice(at, at + slots).map((delivery) => this.#work(delivery)));
    }
  }

  async #leave(): Promise<void> {
    const left = [...this.#inHand.values()];
    const handBack = (): void => {
      for (const each of left) this.#around.broker.change(({ broker }) => broker.handBack(each));
    };
    if (left.length > 0) await this.#untilDone('hand back', handBack);
    this.kill();
  }

  async #claim(): Promise<readonly Delivery[]> {
    try {
      // What a claim took whose answer was lost is still in this worker's hands: it is taken up first.
      const claimed = await this.#toBroker.call('claim', () =>
        this.#unheard.length > 0 ? this.#unheard : (this.#unheard = this.#taken()),
      );
      this.#unheard = [];
      return claimed;
    } catch {
      return [];
    }
  }

  #taken(): readonly Delivery[] {
    const { podUid, queues, prefetch } = this.settings;
    const { broker: redis } = this.#around;
    this.#handBackUnknown();
    // An idle look changes nothing and need not be remembered.
    const busy = queues.filter((queue) => redis.data.broker.count(queue) > 0);
    const places = busy.flatMap((queue) => queueKeys(queue).map((list) => ({ queue, list })));
    const deliveries: Delivery[] = [];
    for (const { queue, list } of places) {
      while (deliveries.length < prefetch) {
        const tag = `${tagHead(`${podUid}.${this.#n}`)}${queue}:${(this.#claimed += 1)}`;
        const taken = redis.change(({ broker }) => broker.take(list, { tag, queue }));
        if (taken === undefined) break;
        this.#inHand.set(tag, taken);
        this.#around.claimed(taken);
        deliveries.push(taken);
      }
    }
    return deliveries;
  }

  /** A broker that forgot its last second may have forgotten that something was done or went back: nobody holds that. */
  #handBackUnknown(): void {
    const { broker: redis } = this.#around;
    if (this.#connectedTo === redis.incarnation) return;
    this.#connectedTo = redis.incarnation;
    redis.change(({ broker }) => void broker.restoreGone(this.settings.podUid));
    const held = redis.data.broker.heldUnder(tagHead(`${this.settings.podUid}.${this.#n}`));
    for (const each of held.filter(({ tag }) => !this.#inHand.has(tag)))
      redis.change(({ broker }) => broker.handBack(each));
  }

  #inOrder(deliveries: readonly Delivery[]): readonly Delivery[] {
    const { faults } = this.#around;
    const isShuffled = deliveries.length > 1 && faults.strike('WorkerReorders', this.actor.name) !== undefined;
    return isShuffled ? deliveries.toReversed() : deliveries;
  }

  async #work(delivery: Delivery): Promise<void> {
    const { faults } = this.#around;
    const decoded = decodeTaskMessage(delivery.text);
    if (!decoded.ok) throw new Error(`a message that no worker can read: ${decoded.error.message}`);
    const message = decoded.value;
    if (this.#diesHere('WorkerDiesBeforeTask')) return this.#never();
    if (this.settings.tellsStart) await this.#store(message.id, 'STARTED', 'null');
    if (faults.strike('WorkerThoughtDead', this.actor.name) !== undefined) this.#around.thoughtDead(this);
    const result = await this.#performed(message, delivery.tag);
    if (this.#diesHere('WorkerDiesBeforeResult')) return this.#never();
    await this.#store(result.id, result.status, result.text);
    if (result.status === 'RETRY') await this.#sendAgain(delivery);
    if (this.#diesHere('WorkerDiesBeforeAck')) return this.#never();
    await this.#untilDone('acknowledge', () =>
      this.#around.broker.change(({ broker }) => {
        broker.release(delivery.tag);
      }),
    );
    this.#inHand.delete(delivery.tag);
  }

  /** The same message under the same id, counted: Celery's retry. Its countdown keeps it from overtaking what was stored. */
  async #sendAgain({ queue, text }: Delivery): Promise<void> {
    const again = text.replace(/"retries":\s*(\d+)/, (_, count: string) => `"retries": ${Number(count) + 1}`);
    await this.#untilDone('publish again', () =>
      this.#around.broker.change(({ broker }) => void broker.publish([{ queue, priority: 0, text: again }])),
    );
  }

  /** What became of the task; one that is revoked or has expired never runs, or ends without having done anything. */
  async #performed(message: TaskMessage, tag: string): Promise<Performed> {
    const { id, expires, timelimit } = message;
    if (expires !== null && epochMs + this.#around.timeline.nowMs > Date.parse(expires)) return revoked(id, 'expired');
    const durationMs = this.#durationMs(tag);
    const limitMs = (timelimit[0] ?? Infinity) * 1_000;
    // Not every pool can end what it runs.
    const isTooLong = durationMs > limitMs && this.#around.chance.happens(0.8);
    if (isTooLong) this.#hung.delete(tag);
    const endsAfterMs = isTooLong ? limitMs : durationMs;
    const isRevoked = this.#revoked.has(id) || (await this.#isInterrupted({ id, tag }, endsAfterMs));
    this.#running.delete(tag);
    this.#hung.delete(tag);
    return isRevoked ? revoked(id, 'revoked') : this.#run(message, isTooLong);
  }

  /** Time passes; true when it was asked to stop meanwhile. */
  #isInterrupted({ id, tag }: { readonly id: string; readonly tag: string }, ms: number): Promise<boolean> {
    const { timeline } = this.#around;
    return new Promise((resolve) => {
      const stop = timeline.timer(ms, this.actor, 'task', () => resolve(false));
      const interrupt = (): void => {
        stop();
        resolve(true);
      };
      this.#running.set(tag, { id, interrupt });
    });
  }

  #diesHere(kind: 'WorkerDiesBeforeTask' | 'WorkerDiesBeforeResult' | 'WorkerDiesBeforeAck'): boolean {
    if (this.#around.faults.strike(kind, this.actor.name) === undefined) return false;
    this.kill();
    return true;
  }

  #never(): Promise<void> {
    return new Promise(() => undefined);
  }

  #durationMs(tag: string): number {
    const { faults, chance } = this.#around;
    const usual = this.settings.taskMs * (0.2 + 1.6 * chance.next());
    const slow = faults.strike('WorkerSlow', this.actor.name);
    const hung = faults.strike('WorkerHangs', this.actor.name);
    if (hung !== undefined) {
      const { timeline } = this.#around;
      timeline.in(faults.size(hung, 5_000, 60_000), this.actor, 'killed', () => {
        if (this.#hung.has(tag)) this.kill();
      });
      this.#hung.add(tag);
      return 86_400_000;
    }
    return slow === undefined ? usual : faults.size(slow, 500, 20_000);
  }

  #run(message: TaskMessage, isTooLong: boolean): Performed {
    const { execute, hasFailed, results } = this.#around;
    const storedText = (id: string): string => results.data.results.texts.get(id) ?? '';
    try {
      return runMessage(message, isTooLong, { execute, storedText, hasFailed });
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#around.broken(error);
      return revoked(message.id, 'revoked');
    }
  }

  async #store(id: string, status: string, text: string): Promise<void> {
    const dateDone = '2026-01-01T00:00:00+00:00';
    const traceback = status === 'FAILURE' ? 'tb\n' : null;
    const write = { id, text: encodeResultMeta({ id, status, resultText: text as JsonText, traceback, dateDone }) };
    await this.#untilDone('store result', () => this.#around.results.change(({ results }) => results.store([write])));
  }

  /** As workers do: whatever the broker says, again, until it is done. */
  async #untilDone(what: string, perform: () => unknown): Promise<void> {
    const link = what === 'store result' ? this.#toResults : this.#toBroker;
    for (;;) {
      try {
        await link.call(what, perform);
        return;
      } catch {
        await this.#rest(500, 'again');
      }
    }
  }

  /** Something may have come into its queues. */
  ring(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake !== undefined) this.#around.timeline.in(this.#around.latencyMs / 2, this.actor, 'bell', wake);
  }

  #rest(ms: number, what: string, wakes = false): Promise<void> {
    const { timeline } = this.#around;
    return new Promise((resolve) => {
      const stop = timeline.timer(ms, this.actor, what, resolve);
      if (!wakes) return;
      this.#wake = () => {
        stop();
        resolve();
      };
    });
  }
}
