import { limits } from '#core/base/limits.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import type { RunIdentity } from '#core/workflow/message.ts';
import { newRoundSlots, nextRoundAt } from '#core/workflow/new-round.ts';
import type { Observation } from '#core/workflow/observation.ts';
import { outcomeOf } from '#core/workflow/outcome.ts';
import { recoverValues } from '#core/workflow/recover-values.ts';
import type { RecoveredRun } from '#core/workflow/recover.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { askedCancel } from './asked-cancel.ts';
import { isHeld } from './held-run.ts';
import { InFlight } from './in-flight.ts';
import { Inbox } from './inbox.ts';
import { publicationsOf, type Publications } from './publication.ts';
import type { LiveRunOptions, LiveRunPorts } from './live-run-options.ts';
import { ledgerChanges } from './ledger-changes.ts';
import { isOlder, lossOf } from './loss.ts';
import type { Outbox } from './outbox.ts';
import type { Route } from './route.ts';
import { RunMemory } from './run-memory.ts';
import { RunReports } from './run-reports.ts';
import { RunRoutes } from './run-routes.ts';
import type { RunSettings } from './run-settings.ts';
import { storeFailures } from './stored-failure.ts';
import { wishesOf, type Blocked, type DueAttempt } from './wishes.ts';
import type { Turn } from './turn.ts';

/**
 * One run in this operator's memory: what the store holds, what was seen since, and what follows. `turn` is the only
 * thing that changes it and is never called twice at once; everything else may be called at any time.
 */
export class LiveRun {
  readonly key: RunKey;
  readonly plan: Plan;
  settings: RunSettings;
  blocked: Blocked | undefined;
  /** Nothing of later rounds is sent: they are not noted yet where another operator would find them. */
  releasedRound = Infinity;
  readonly #routes: RunRoutes;
  /** What tasks said of themselves. */
  readonly told: RunReports;
  readonly #ports: LiveRunPorts;
  readonly #memory: RunMemory;
  readonly #inFlight: InFlight;
  readonly #inbox: Inbox;
  #mayBeStale = false;

  constructor(options: LiveRunOptions, ports: LiveRunPorts) {
    this.key = options.key;
    this.plan = options.plan;
    this.settings = options.settings;
    this.#routes = new RunRoutes(options.router);
    this.told = new RunReports(options.plan);
    this.#ports = ports;
    this.#inbox = new Inbox(ports.room);
    const context = { run: options.settings.run, payloadLimits: ports.payloadLimits, nowMs: () => ports.home.nowMs() };
    this.#memory = new RunMemory(options.plan, options.stored, context);
    this.#inFlight = new InFlight(options.key.uid, ports.window);
    this.#countInFlight();
  }

  get identity(): RunIdentity {
    const { round, roundsAt } = this.#memory.head;
    return { uid: this.key.uid, run48: this.key.run48, round, roundsAt };
  }

  get view(): RunView {
    return this.#memory.view;
  }

  get rev(): number {
    return this.#memory.head.rev;
  }

  get begunAtMs(): number {
    return this.#memory.head.begunAtMs;
  }

  get nowTicks(): number {
    return this.#memory.nowTicks;
  }

  /** As the store acknowledged it last, to be written back should the store lose it. */
  get remembered(): StoredRun {
    return this.#memory.remembered;
  }

  get outbox(): Outbox {
    return this.#memory.outbox;
  }

  /** The view tells of something that the store has not acknowledged. */
  get isAhead(): boolean {
    return this.#memory.isAhead;
  }

  /** Nothing is being written or to be read anew: what is known is what stands, unless somebody else changed it. */
  get isCertain(): boolean {
    return !this.#mayBeStale;
  }

  /** The round has ended, something failed in it, and a further one is asked for by who does not want it cancelled. */
  get mayTryAgain(): boolean {
    const { evaluation } = this.view;
    if (evaluation.stage !== 'Ended' || evaluation.states[0] === 'Succeeded') return false;
    return !this.settings.cancel && this.settings.retryFailed > this.#memory.head.retried;
  }

  /** How a slot's task reaches its queue today; undefined while there is no route. */
  routeOf(slot: number): Route | undefined {
    return this.#routes.find(this.#memory, slot);
  }

  queueOf(slot: number): string | undefined {
    return this.routeOf(slot)?.queue;
  }

  see(observation: Observation): void {
    this.#inbox.add(observation);
  }

  /** What the store holds may be another thing than is known here; it is read before the next decision. */
  doubt(): void {
    this.#mayBeStale = true;
  }

  /** What stands in the store is what is known from here on. */
  take(stored: StoredRun): void {
    // What was seen of an earlier round says nothing of a further one.
    if (stored.head.round !== this.identity.round) {
      this.forgetSeen();
      this.told.clear();
    }
    this.#memory.take(stored);
    this.#mayBeStale = false;
    this.#countInFlight();
  }

  /** What was seen and not decided on: a sweep finds it again. */
  forgetSeen(): void {
    this.#inbox.clear();
  }

  /** The run is over, or not this operator's any more: nothing of it takes up room, in queues or here. */
  drop(): void {
    this.#inFlight.drop();
    this.forgetSeen();
  }

  /** After these slots' results were found to be gone: the run as it is to be written back; undefined when it cannot be. */
  recovered(lost: ReadonlySet<number>): RecoveredRun | undefined {
    return recoverValues(this.plan, this.remembered, { nowTicks: this.nowTicks, lost });
  }

  /** Decides on what was seen and writes it, with the messages that follow, in one call. Throws what the store throws. */
  async turn(fence: number): Promise<Turn> {
    const lost = this.#mayBeStale ? this.#takeRead(await this.#ports.store.read(this.key)) : undefined;
    if (lost !== undefined) return lost;
    const seen = this.#inbox.take();
    // Until the answer is here nobody knows whether it was done; what stands is read before the next decision.
    this.#mayBeStale = true;
    try {
      return await (this.#asked(fence, seen) ?? this.#decide(fence, seen));
    } catch (error) {
      this.#memory.forget();
      this.#inbox.putBack(seen);
      throw error;
    } finally {
      this.#inbox.settle();
    }
  }

  /** A cancel or a new round that is asked for goes first, and by itself. */
  #asked(fence: number, seen: readonly Observation[]): Promise<Turn> | undefined {
    const request = { fence, rev: this.rev, records: [], publishes: [], unfolds: [], ledger: [] };
    const cancel = askedCancel(this.settings, this.view, this.#ports.home.nowMs());
    if (cancel !== undefined) return this.#write({ ...request, cancel }, seen);
    if (!this.mayTryAgain) return undefined;
    const atTicks = nextRoundAt(this.#memory.head, this.nowTicks);
    const newRound = { slots: newRoundSlots(this.view), atTicks, retried: this.settings.retryFailed };
    return this.#write({ ...request, newRound }, seen);
  }

  async #decide(fence: number, seen: readonly Observation[]): Promise<Turn> {
    this.told.note(seen, this.#memory.state.slots);
    const decision = this.#memory.decide(seen, this.key.run48);
    this.#memory.learn(decision);
    const routes = this.#routes.ofTurn();
    this.#inFlight.landed(decision, (slot) => this.#routes.findLanded(this.plan, decision, slot, routes)?.queue);
    const { maxParallel } = this.settings;
    const wishes = wishesOf(this.view, { routes, suspended: isHeld(this), maxParallel });
    this.blocked = wishes.blocked;
    const granted = this.#inFlight.granted(wishes, limits.publishesPerCall);
    const { publishes, unpublished, ...built } = this.#publications(granted, wishes.stranded);
    this.#inFlight.giveBack(unpublished);
    const published = granted.filter((each) => !unpublished.has(each));
    const ledger = ledgerChanges(this.#memory.ledger, wishes, published);
    const records = [...decision.records, ...built.records];
    const lost = new Set([...decision.runAgain, ...built.runAgain]);
    let turn: Turn = { did: !this.#inbox.isEmpty || decision.hasMore ? 'Something' : 'Nothing' };
    if (records.length + publishes.length + decision.unfolds.length + ledger.length === 0) this.#mayBeStale = false;
    else {
      await storeFailures(built.prerequisites, this.#ports);
      turn = await this.#write({ fence, rev: this.rev, records, unfolds: decision.unfolds, ledger, publishes }, seen);
    }
    if (lost.size === 0 || turn.did === 'Refused' || turn.did === 'Lost') return turn;
    return { did: 'Lost', recovered: this.recovered(lost) };
  }

  #publications(granted: readonly DueAttempt[], stranded: readonly number[]): Publications {
    const { identity, view, nowTicks } = this;
    const { newTag, home } = this.#ports;
    const context = { identity, view, outcome: () => outcomeOf(identity, view), newTag, nowMs: home.nowMs(), nowTicks };
    return publicationsOf(context, granted, stranded);
  }

  async #write(request: AdvanceRequest, seen: readonly Observation[]): Promise<Turn> {
    const answer = await this.#ports.store.advance(this.key, request);
    if (!answer.ok) return this.#refused(answer, seen);
    // What a cancel or a new round leaves is read from the store: both are rare, and change much at once.
    const isRare = request.cancel !== undefined || request.newRound !== undefined;
    if (isRare) this.#inbox.putBack(seen);
    else this.#memory.settle(request, answer.rev);
    this.#mayBeStale = isRare;
    return { did: 'Something', wasWritten: true };
  }

  #refused(answer: Exclude<AdvanceAnswer, { ok: true }>, seen: readonly Observation[]): Turn {
    this.#inbox.putBack(seen);
    const { refusal } = answer;
    // Where data was lost, what was heard just now is written back as well: nobody else knows of it.
    const lost = refusal === 'StaleFence' ? undefined : this.#takeRead('stored' in answer ? answer.stored : undefined);
    this.#memory.forget();
    return lost ?? { did: 'Refused', refusal };
  }

  /** What stands in the store, unless data of the run was lost: then what is to stand. */
  #takeRead(stored: StoredRun | undefined): Turn | undefined {
    const lost = lossOf(this.#memory, stored);
    if (stored !== undefined && !isOlder(stored, this.#memory.head)) this.take(stored);
    return lost;
  }

  #countInFlight(): void {
    const routes = this.#routes.ofTurn();
    this.#inFlight.count(this.plan, this.#memory.state, (slot) => this.#routes.find(this.#memory, slot, routes)?.queue);
  }
}
