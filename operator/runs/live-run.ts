import { limits } from '#core/base/limits.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import type { JsonText } from '#core/base/json-text.ts';
import type { RunView } from '#core/workflow/call.ts';
import { decide } from '#core/workflow/decide.ts';
import { evaluate, type Evaluation } from '#core/workflow/evaluate.ts';
import type { RunIdentity } from '#core/workflow/message.ts';
import type { Observation } from '#core/workflow/observation.ts';
import { outcomeOf } from '#core/workflow/outcome.ts';
import type { Recorded } from '#core/workflow/record.ts';
import { encodeSlot, slotBytes, type Slots } from '#core/workflow/slots.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { publicationsOf, type Blocked, type Publications } from './publication.ts';
import { isRoute, type Route, type Router } from './route.ts';
import type { RunPorts } from './run-ports.ts';
import { storeFailures } from './stored-failure.ts';

/** Observations taken into one call of the deciding script. */
const observationsPerCall = 1_000;

export interface LiveRunOptions {
  readonly key: RunKey;
  readonly plan: Plan;
  readonly router: Router;
  readonly stored: StoredRun;
}

export type LiveRunPorts = Pick<RunPorts, 'store' | 'results' | 'clock' | 'newTag'>;

/** What became of one turn. `Refused` carries why; the caller knows what to do about it. */
export type Turn =
  | { readonly did: 'Nothing' | 'Something' }
  | { readonly did: 'Refused'; readonly refusal: Exclude<AdvanceAnswer, { ok: true }>['refusal'] };

/**
 * One run in this operator's memory: what the store holds, what was seen since, and what follows. `turn` is the only
 * thing that changes it and is never called twice at once; everything else may be called at any time.
 */
export class LiveRun {
  readonly key: RunKey;
  readonly plan: Plan;
  blocked: Blocked | undefined;
  /** Entries that the store holds in the outbox and that are not known to be published. */
  readonly outbox: string[] = [];
  readonly #router: Router;
  readonly #ports: LiveRunPorts;
  #inbox: Observation[] = [];
  #slots: Slots = new Uint8Array(0);
  #kept = new Map<number, JsonText>();
  #cancelled = false;
  #rev = 0;
  #round = 0;
  #begunAtMs = 0;
  #evaluation: Evaluation;
  #mayBeStale = false;

  constructor(options: LiveRunOptions, ports: LiveRunPorts) {
    this.key = options.key;
    this.plan = options.plan;
    this.#router = options.router;
    this.#ports = ports;
    this.#take(options.stored);
    this.#evaluation = evaluate(this.plan, this.#slots, this.#cancelled);
  }

  get identity(): RunIdentity {
    return { uid: this.key.uid, run48: this.key.run48, round: this.#round };
  }

  get view(): RunView {
    const state = { slots: this.#slots, kept: this.#kept, cancelled: this.#cancelled };
    return { plan: this.plan, state, evaluation: this.#evaluation };
  }

  get rev(): number {
    return this.#rev;
  }

  get begunAtMs(): number {
    return this.#begunAtMs;
  }

  /** The queue of a task, by today's routes; undefined while there is none. */
  queueOf(step: number): string | undefined {
    const route = this.#routeOf(step);
    return route?.queue;
  }

  /** The same, where a message that is nowhere can be told from one that is being worked on. */
  watchedQueue(step: number): string | undefined {
    const route = this.#routeOf(step);
    return route?.isWatched === true ? route.queue : undefined;
  }

  see(observation: Observation): void {
    this.#inbox.push(observation);
  }

  /** Decides on what was seen and writes it, with the messages that follow, in one call. Throws what the store throws. */
  async turn(fence: number): Promise<Turn> {
    if (this.#mayBeStale) await this.#reload();
    const seen = this.#inbox.splice(0, observationsPerCall);
    // Until the answer is here nobody knows whether it was done; what stands is read before the next decision.
    this.#mayBeStale = true;
    try {
      return await this.#decide(fence, seen);
    } catch (error) {
      this.#inbox.unshift(...seen);
      throw error;
    }
  }

  async #decide(fence: number, seen: readonly Observation[]): Promise<Turn> {
    const nowSeconds = Math.floor(this.#ports.clock.nowMs() / 1000);
    const decision = decide(this.plan, { slots: this.#slots, cancelled: this.#cancelled }, seen, nowSeconds);
    this.#learn(decision.slots, decision.records, decision.evaluation);
    const publications = this.#publications(nowSeconds);
    this.blocked = publications.blocked;
    const records = [...decision.records, ...publications.records];
    if (records.length === 0 && publications.publishes.length === 0) {
      this.#mayBeStale = false;
      return { did: this.#inbox.length > 0 ? 'Something' : 'Nothing' };
    }
    await storeFailures(publications.prerequisites, this.#ports);
    return this.#write(requestOf(fence, this.#rev, records, publications), seen);
  }

  #routeOf(index: number): Route | undefined {
    const step = this.plan.steps[index];
    if (step?.kind !== 'Task') return undefined;
    const route = this.#router(step.task, step.queue);
    return isRoute(route) ? route : undefined;
  }

  #publications(nowSeconds: number): Publications {
    return publicationsOf({
      identity: this.identity,
      view: this.view,
      outcome: () => outcomeOf(this.identity, this.view),
      router: this.#router,
      newTag: this.#ports.newTag,
      nowSeconds,
      most: limits.publishesPerCall,
    });
  }

  async #write(request: AdvanceRequest, seen: readonly Observation[]): Promise<Turn> {
    const answer = await this.#ports.store.advance(this.key, request);
    if (!answer.ok) {
      this.#inbox.unshift(...seen);
      if ('stored' in answer) this.#take(answer.stored);
      return { did: 'Refused', refusal: answer.refusal };
    }
    this.#mayBeStale = false;
    this.#rev = answer.rev;
    this.#settle(request);
    return { did: 'Something' };
  }

  /** The store has it: the slots of what was published stand. */
  #settle({ publishes, records }: AdvanceRequest): void {
    for (const { step, slot } of [...records, ...publishes]) this.#slots.set(encodeSlot(slot), step * slotBytes);
    for (const { step, keep } of records) if (keep !== undefined) this.#kept.set(step, keep);
    for (const { dispatch } of publishes) if (dispatch.by === 'Outbox') this.outbox.push(dispatch.entry);
    this.#evaluation = this.#evaluationAfter(publishes, records);
  }

  /** A due step that was published is active as before and no longer due: for that, a wide run is not looked at again. */
  #evaluationAfter(publishes: AdvanceRequest['publishes'], records: readonly Recorded[]): Evaluation {
    const { due } = this.#evaluation;
    const recorded = new Set(records.map(({ step }) => step));
    if (due.some((step) => recorded.has(step))) return evaluate(this.plan, this.#slots, this.#cancelled);
    const published = new Set(publishes.map(({ step }) => step));
    return { ...this.#evaluation, due: due.filter((step) => !published.has(step)) };
  }

  #learn(slots: Slots, records: readonly Recorded[], evaluation: Evaluation): void {
    this.#slots = slots;
    for (const { step, keep } of records) if (keep !== undefined) this.#kept.set(step, keep);
    this.#evaluation = evaluation;
  }

  async #reload(): Promise<void> {
    const stored = await this.#ports.store.read(this.key);
    // A missing head is the deciding script's to tell.
    if (stored !== undefined) this.#take(stored);
    this.#mayBeStale = false;
  }

  #take(stored: StoredRun): void {
    this.#slots = stored.slots;
    this.#kept = new Map(stored.kept);
    this.#cancelled = stored.head.cancelled;
    this.#rev = stored.head.rev;
    this.#round = stored.head.round;
    this.#begunAtMs = stored.head.begunAtMs;
    this.outbox.splice(0, this.outbox.length, ...stored.outbox);
    this.#mayBeStale = false;
  }
}

function requestOf(
  fence: number,
  rev: number,
  records: readonly Recorded[],
  publications: Publications,
): AdvanceRequest {
  const { publishes } = publications;
  return { fence, rev, records, publishes, ledger: [], timers: { set: [], clear: [] } };
}
