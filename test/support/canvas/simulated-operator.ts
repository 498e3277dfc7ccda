import type { Plan } from '#core/canvas/plan.ts';
import { decodeResultMeta } from '#core/celery/result-meta.ts';
import type { AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import { decide } from '#core/workflow/decide.ts';
import { engineFailure } from '#core/workflow/failure.ts';
import { taskIdOf, type RunIdentity } from '#core/workflow/message.ts';
import type { Observation } from '#core/workflow/observation.ts';
import { observeResult } from '#core/workflow/observe-meta.ts';
import { outcomeOf } from '#core/workflow/outcome.ts';
import { isInFlight, readSlot, withSlots } from '#core/workflow/slots.ts';
import { publicationsOf } from '#operator/runs/publication.ts';
import type { Route } from '#operator/runs/route.ts';
import type { Announced } from './simulated-workers.ts';
import type { WatchedStore } from './watched-store.ts';

export interface OperatorOptions {
  readonly plan: Plan;
  readonly store: WatchedStore;
  readonly fence: number;
  readonly route: Route;
  /** Messages in one call: small, so that a run takes many. */
  readonly most: number;
  /** Writes a FAILURE into the result store. */
  readonly storeFailure: (id: string, exc: string) => void;
}

export type Crash = 'never' | 'before the call' | 'after the call';

/** An attempt that was sent and of which this operator has recorded no end. */
export interface InFlight {
  readonly step: number;
  readonly attempt: number;
  readonly id: string;
}

/** One operator process: what it believes, and what it has heard. A crash forgets both. */
export class SimulatedOperator {
  readonly #options: OperatorOptions;
  #inbox: Observation[] = [];
  #stored: StoredRun;
  #tag = 0;

  private constructor(options: OperatorOptions, stored: StoredRun) {
    this.#options = options;
    this.#stored = stored;
  }

  static async start(options: OperatorOptions): Promise<SimulatedOperator> {
    return new SimulatedOperator(options, await options.store.read());
  }

  get isFencedOut(): boolean {
    return this.#options.fence < this.#options.store.fence;
  }

  get identity(): RunIdentity {
    const { uid, run48 } = this.#options.store.run;
    return { uid, run48, round: this.#stored.head.round };
  }

  hear({ id, text }: Announced): void {
    const stored = decodeResultMeta(text);
    if (!stored.ok) throw new Error(stored.error.message);
    const seen = observeResult(id, stored.value);
    if (seen !== undefined) this.#inbox.push(seen.observation);
  }

  lost({ step, attempt }: InFlight): void {
    this.#inbox.push({ step, attempt, seen: 'Lost', failure: engineFailure('WorkerLost', 'gone') });
  }

  inFlight(): readonly InFlight[] {
    const { plan } = this.#options;
    return plan.steps.flatMap(({ index: step }) => {
      const { state, attempt } = readSlot(this.#stored.slots, step);
      return isInFlight(state) ? [{ step, attempt, id: taskIdOf(this.identity, step, attempt) }] : [];
    });
  }

  /** Looks in the result store for everything in flight. */
  sweep(results: ReadonlyMap<string, string>): void {
    for (const { id } of this.inFlight()) {
      const text = results.get(id);
      if (text !== undefined) this.hear({ id, text });
    }
  }

  /** One decision, written and performed. False when there was nothing to do. */
  async turn(crash: Crash, cancel = false): Promise<boolean> {
    const request = this.#decide(cancel);
    if (request === undefined) return false;
    if (crash === 'before the call') return this.#restart();
    const answer = await this.#options.store.advance(request);
    if (crash === 'after the call') return this.#restart();
    if (answer.ok) this.#apply(request, answer.rev);
    else if ('stored' in answer) this.#stored = answer.stored;
    return true;
  }

  /** What the outbox holds, to be published; `mark` is the second half of it, which a crash may take away. */
  async outbox(): Promise<readonly string[]> {
    return (await this.#options.store.read()).outbox;
  }

  async mark(entries: readonly string[]): Promise<void> {
    await this.#options.store.store.clearOutbox(this.#options.store.run, entries);
  }

  #decide(cancel: boolean): AdvanceRequest | undefined {
    const { plan, store, fence, route, most } = this.#options;
    const { head, slots, kept } = this.#stored;
    const nowSeconds = store.nowMs / 1000;
    const decision = decide(plan, { slots, cancelled: head.cancelled }, this.#inbox.splice(0), nowSeconds);
    const now = new Map(kept);
    for (const { step, keep } of decision.records) if (keep !== undefined) now.set(step, keep);
    const state = { slots: decision.slots, kept: now, cancelled: head.cancelled };
    const view = { plan, state, evaluation: decision.evaluation };
    const { identity } = this;
    const { publishes, records, prerequisites } = publicationsOf({
      identity,
      view,
      outcome: () => outcomeOf(identity, view),
      router: () => route,
      newTag: () => String((this.#tag += 1)),
      nowSeconds,
      most,
    });
    for (const { id, failure } of prerequisites) this.#options.storeFailure(id, failure.exc);
    const all = [...decision.records, ...records];
    if (all.length + publishes.length === 0 && !cancel) return undefined;
    const timers = { set: [], clear: [] };
    const request = { fence, rev: head.rev, records: all, publishes, ledger: [], timers };
    return cancel ? { ...request, cancel } : request;
  }

  #apply({ records, publishes, cancel }: AdvanceRequest, rev: number): void {
    const { head, slots, kept, outbox } = this.#stored;
    const now = new Map(kept);
    for (const { step, keep } of records) if (keep !== undefined) now.set(step, keep);
    this.#stored = {
      head: { ...head, rev, cancelled: head.cancelled || cancel === true },
      slots: withSlots(
        slots,
        [...records, ...publishes].map(({ step, slot }) => [step, slot] as const),
      ),
      kept: now,
      outbox,
    };
  }

  async #restart(): Promise<true> {
    this.#inbox = [];
    this.#stored = await this.#options.store.read();
    return true;
  }
}
