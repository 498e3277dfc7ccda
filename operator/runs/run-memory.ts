import type { JsonText } from '#core/base/json-text.ts';
import type { PayloadLimits } from '#core/base/payload-limits.ts';
import { alikeOf } from '#core/canvas/alike.ts';
import { stepAt, type Plan } from '#core/canvas/plan.ts';
import type { AdvanceRequest, RunHead, StoredRun } from '#core/workflow/advance.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { Blocks } from '#core/workflow/blocks.ts';
import { decideHere, type Decision } from '#core/workflow/decide.ts';
import { dueWay } from '#core/workflow/due-way.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import type { Evaluation } from '#core/workflow/evaluation.ts';
import { judgeOf, type RunFacts } from '#core/workflow/judge.ts';
import type { Observation } from '#core/workflow/observation.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import { encodeSlot, slotBytes, ticksSince } from '#core/workflow/slots.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';
import { Outbox } from './outbox.ts';

export interface RunMemoryContext {
  readonly run: RunFacts;
  readonly payloadLimits: PayloadLimits;
  /** The clock of the run's Redis. */
  readonly nowMs: () => number;
}

/** What was decided upon and is not known to be written, as it stood before. */
interface Before extends Pick<StoredRun, 'maps'> {
  readonly size: number;
  /** By slot. */
  readonly slots: ReadonlyMap<number, Uint8Array>;
  readonly kept: ReadonlyMap<number, JsonText | undefined>;
}

/**
 * What the store holds of one run, as far as this operator knows it, and what follows from it. Between `learn` and
 * `settle` it is ahead: its view tells what was decided, `remembered` what was acknowledged.
 */
export class RunMemory {
  readonly plan: Plan;
  readonly outbox = new Outbox();
  readonly #context: RunMemoryContext;
  #head: RunHead;
  /** Its slots are its own, and written to: those who keep them take a copy. */
  #state: RunState;
  #blocks = new Blocks();
  #kept: Map<number, JsonText>;
  #evaluation: Evaluation;
  /** Messages held back, by queue, as written last. */
  #ledger: ReadonlyMap<string, number>;
  /** While it is ahead. */
  #before: Before | undefined;

  constructor(plan: Plan, stored: StoredRun, context: RunMemoryContext) {
    this.plan = plan;
    this.#context = context;
    this.#head = stored.head;
    this.#kept = new Map(stored.kept);
    this.#state = this.#stateOf(stored);
    this.#ledger = stored.ledger;
    this.outbox.take(stored.outbox);
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

  /** Something was decided that the store has not acknowledged. */
  get isAhead(): boolean {
    return this.#before !== undefined;
  }

  /** As the store acknowledged it last. */
  get remembered(): StoredRun {
    return { ...this.known, ...this.#acknowledged() };
  }

  /** The same with what was decided since. */
  get known(): StoredRun {
    const { slots, maps } = this.#state;
    return { head: this.#head, slots, maps, kept: this.#kept, ledger: this.#ledger, outbox: this.outbox.texts };
  }

  take(stored: StoredRun): void {
    this.#head = stored.head;
    this.#kept = new Map(stored.kept);
    this.#state = this.#stateOf(stored);
    this.#before = undefined;
    this.#blocks = new Blocks();
    this.outbox.take(stored.outbox);
    this.#ledger = stored.ledger;
    this.#evaluation = this.#evaluated();
  }

  /** What follows now from what was seen; `learn` takes it up. */
  decide(seen: readonly Observation[], run48: string): Decision {
    const { run, payloadLimits } = this.#context;
    const context = { nowTicks: this.nowTicks, run48, run, payloadLimits, blocks: this.#blocks };
    return decideHere(this.plan, this.#state, seen, context);
  }

  /** What was decided and is about to be written: then it is settled, or forgotten. */
  learn({ state, records, unfolds, before, evaluation }: Decision): void {
    if (records.length + unfolds.length > 0) {
      const { slots, maps } = this.#state;
      const kept = new Map(records.map(({ at }) => [at, this.#kept.get(at)]));
      this.#before = { size: slots.length, slots: before, maps, kept };
    }
    for (const { at, keep } of records) if (keep !== undefined) this.#kept.set(at, keep);
    this.#state = { ...state, kept: this.#kept };
    this.#evaluation = evaluation;
  }

  /** What was learned was not written, as far as is known: what was acknowledged stands. */
  forget(): void {
    if (this.#before === undefined) return;
    const { slots, maps, kept } = this.#acknowledged();
    this.#before = undefined;
    this.#kept = kept;
    this.#state = this.#stateOf({ head: this.#head, slots, maps });
    this.#blocks = new Blocks();
    this.#evaluation = this.#evaluated();
  }

  /** The store has it, and is at this revision. */
  settle({ publishes, records, ledger }: AdvanceRequest, rev: number): void {
    this.#before = undefined;
    this.#head = { ...this.#head, rev };
    const { slots } = this.#state;
    for (const { at, slot } of [...records, ...publishes]) {
      slots.set(encodeSlot(slot), at * slotBytes);
      this.#blocks.touch(at);
    }
    for (const { at, keep } of records) if (keep !== undefined) this.#kept.set(at, keep);
    for (const { dispatch } of publishes) if (dispatch.by === 'Outbox') this.outbox.add(dispatch.entry);
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
      const step = stepAt(this.plan, placeOfSlot(this.#state.maps, at).step);
      const way = dueWay(alike, step, this.#state.slots, at);
      counts.set(way, (counts.get(way) ?? 1) - 1);
    }
    return { ...this.#evaluation, due: due.filter((at) => !published.has(at)), dueCounts: counts };
  }

  #evaluated(): Evaluation {
    const judge = judgeOf(this.plan, this.#state, this.#context.run);
    return evaluate(this.plan, this.#state, { nowTicks: this.nowTicks, judge, blocks: this.#blocks });
  }

  #acknowledged(): Pick<StoredRun, 'slots' | 'maps'> & { readonly kept: Map<number, JsonText> } {
    const { slots, maps } = this.#state;
    if (this.#before === undefined) return { slots, maps, kept: this.#kept };
    const { size, slots: bytes, maps: mapsBefore, kept: texts } = this.#before;
    const acknowledged = slots.slice(0, size);
    // Members of maps that begin with the decision are not there yet.
    for (const [at, each] of bytes) if (at * slotBytes < size) acknowledged.set(each, at * slotBytes);
    const kept = new Map(this.#kept);
    for (const [at, text] of texts) {
      if (text === undefined) kept.delete(at);
      else kept.set(at, text);
    }
    return { slots: acknowledged, maps: mapsBefore, kept };
  }

  #stateOf({ head: { cancelled, begunAtMs }, slots, maps }: Pick<StoredRun, 'head' | 'slots' | 'maps'>): RunState {
    const found = { items: new Map(), admitted: new Set<number>() };
    const listCharacters = this.#context.payloadLimits.listBytes;
    // The store's own array may be shared; this one is written to.
    return { slots: slots.slice(), kept: this.#kept, maps, cancelled, begunAtMs, ...found, listCharacters };
  }
}
