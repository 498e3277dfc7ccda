import type { JsonText } from '#core/base/json-text.ts';
import type { PayloadLimits } from '#core/base/payload-limits.ts';
import { alikeOf } from '#core/canvas/alike.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { AdvanceRequest, RunHead, StoredRun } from '#core/workflow/advance.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { Blocks } from '#core/workflow/blocks.ts';
import { decideHere, type Decision } from '#core/workflow/decide.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import type { Evaluation } from '#core/workflow/evaluation.ts';
import { judgeOf, type RunFacts } from '#core/workflow/judge.ts';
import type { Observation } from '#core/workflow/observation.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import { encodeSlot, slotBytes, ticksSince } from '#core/workflow/slots.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';

export interface RunMemoryContext {
  readonly run: RunFacts;
  readonly payloadLimits: PayloadLimits;
  /** The clock of the run's Redis. */
  readonly nowMs: () => number;
}

/** What the store holds of one run, as far as this operator knows it, and what follows from it. */
export class RunMemory {
  readonly plan: Plan;
  /** Entries that the store holds in the outbox and that are not known to be published. */
  readonly outbox: string[] = [];
  readonly #context: RunMemoryContext;
  #head: RunHead;
  /** Its slots are its own, and written to: those who keep them take a copy. */
  #state: RunState;
  #blocks = new Blocks();
  #kept: Map<number, JsonText>;
  #evaluation: Evaluation;
  /** Messages held back, by queue, as written last. */
  #ledger: ReadonlyMap<string, number>;

  constructor(plan: Plan, stored: StoredRun, context: RunMemoryContext) {
    this.plan = plan;
    this.#context = context;
    this.#head = stored.head;
    this.#kept = new Map(stored.kept);
    this.#state = this.#stateOf(stored);
    this.#ledger = stored.ledger;
    this.outbox.push(...stored.outbox);
    this.#evaluation = this.#evaluated();
  }

  get head(): RunHead {
    return this.#head;
  }

  get state(): RunState {
    return this.#state;
  }

  get view(): RunView {
    const { payloadLimits } = this.#context;
    return { plan: this.plan, state: this.#state, evaluation: this.#evaluation, payloadLimits, blocks: this.#blocks };
  }

  get ledger(): ReadonlyMap<string, number> {
    return this.#ledger;
  }

  /** Ticks since the run began; whatever the clock says, not before its round did. */
  get nowTicks(): number {
    return Math.max(ticksSince(this.#head.begunAtMs, this.#context.nowMs()), this.#head.roundsAt.at(-1) ?? 0);
  }

  /** As the store acknowledged it last. */
  get remembered(): StoredRun {
    const { slots, maps } = this.#state;
    return { head: this.#head, slots, maps, kept: this.#kept, ledger: this.#ledger, outbox: [...this.outbox] };
  }

  take(stored: StoredRun): void {
    this.#head = stored.head;
    this.#kept = new Map(stored.kept);
    this.#state = this.#stateOf(stored);
    this.#blocks = new Blocks();
    this.outbox.splice(0, this.outbox.length, ...stored.outbox);
    this.#ledger = stored.ledger;
    this.#evaluation = this.#evaluated();
  }

  /** What follows now from what was seen; `learn` takes it up. */
  decide(seen: readonly Observation[], run48: string): Decision {
    const { run, payloadLimits } = this.#context;
    const context = { nowTicks: this.nowTicks, run48, run, payloadLimits, blocks: this.#blocks };
    return decideHere(this.plan, this.#state, seen, context);
  }

  /** What was decided and is about to be written: should that fail, what stands is taken anew. */
  learn({ state, records, evaluation }: Decision): void {
    for (const { at, keep } of records) if (keep !== undefined) this.#kept.set(at, keep);
    this.#state = { ...state, kept: this.#kept };
    this.#evaluation = evaluation;
  }

  /** The store has it, and is at this revision. */
  settle({ publishes, records, ledger }: AdvanceRequest, rev: number): void {
    this.#head = { ...this.#head, rev };
    const { slots } = this.#state;
    for (const { at, slot } of [...records, ...publishes]) {
      slots.set(encodeSlot(slot), at * slotBytes);
      this.#blocks.touch(at);
    }
    for (const { at, keep } of records) if (keep !== undefined) this.#kept.set(at, keep);
    for (const { dispatch } of publishes) if (dispatch.by === 'Outbox') this.outbox.push(dispatch.entry);
    if (ledger.length > 0) {
      const all = new Map([...this.#ledger, ...ledger.map(({ queue, held }) => [queue, held] as const)]);
      this.#ledger = new Map([...all].filter(([, held]) => held > 0));
    }
    this.#evaluation = this.#evaluationAfter(publishes, records);
  }

  /** A due step that was published is active as before and no longer due: for that, a wide run is not looked at again. */
  #evaluationAfter(publishes: AdvanceRequest['publishes'], records: AdvanceRequest['records']): Evaluation {
    const { due, dueCounts } = this.#evaluation;
    const recorded = new Set(records.map(({ at }) => at));
    if (due.some((at) => recorded.has(at))) return this.#evaluated();
    const published = new Set(publishes.map(({ at }) => at));
    const counts = new Map(dueCounts);
    const alike = alikeOf(this.plan);
    for (const at of published) {
      const way = alike[placeOfSlot(this.#state.maps, at).step] ?? -1;
      counts.set(way, (counts.get(way) ?? 1) - 1);
    }
    return { ...this.#evaluation, due: due.filter((at) => !published.has(at)), dueCounts: counts };
  }

  #evaluated(): Evaluation {
    const judge = judgeOf(this.plan, this.#state, this.#context.run);
    return evaluate(this.plan, this.#state, { nowTicks: this.nowTicks, judge, blocks: this.#blocks });
  }

  #stateOf({ head: { cancelled, begunAtMs }, slots, maps }: StoredRun): RunState {
    const found = { items: new Map(), admitted: new Set<number>() };
    const listCharacters = this.#context.payloadLimits.listBytes;
    // The store's own array may be shared; this one is written to.
    return { slots: slots.slice(), kept: this.#kept, maps, cancelled, begunAtMs, ...found, listCharacters };
  }
}
