import { limits } from '#core/base/limits.ts';
import { stepAt, type Plan } from '#core/canvas/plan.ts';
import type { AdvanceAnswer, AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import type { RunIdentity } from '#core/workflow/message.ts';
import { newRoundSlots } from '#core/workflow/new-round.ts';
import type { Observation, Report } from '#core/workflow/observation.ts';
import { outcomeOf } from '#core/workflow/outcome.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { askedCancel } from './asked-cancel.ts';
import { InFlight } from './in-flight.ts';
import { publicationsOf, type Publications } from './publication.ts';
import { ledgerChanges } from './ledger-changes.ts';
import { isRoute, RoutesOfTurn, type Route, type Router } from './route.ts';
import { RunMemory } from './run-memory.ts';
import type { RunPorts } from './run-ports.ts';
import type { RunSettings } from './run-settings.ts';
import { storeFailures } from './stored-failure.ts';
import { wishesOf, type Blocked, type DueAttempt } from './wishes.ts';
import type { Turn } from './turn.ts';
import type { Window } from './window.ts';

/** Observations taken into one call of the deciding script. */
const observationsPerCall = 1_000;

export interface LiveRunOptions {
  readonly key: RunKey;
  readonly plan: Plan;
  readonly router: Router;
  readonly stored: StoredRun;
  readonly settings: RunSettings;
}

export interface LiveRunPorts extends Pick<RunPorts, 'store' | 'results' | 'newTag' | 'clock' | 'payloadLimits'> {
  /** The clock of the run's Redis. */
  readonly home: { nowMs(): number };
  readonly window: Window;
}

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
  /** What running tasks said of themselves last, by slot. */
  readonly reports = new Map<number, Report>();
  readonly #router: Router;
  readonly #ports: LiveRunPorts;
  readonly #memory: RunMemory;
  readonly #inFlight: InFlight;
  #inbox: Observation[] = [];
  #mayBeStale = false;

  constructor(options: LiveRunOptions, ports: LiveRunPorts) {
    this.key = options.key;
    this.plan = options.plan;
    this.settings = options.settings;
    this.#router = options.router;
    this.#ports = ports;
    const { payloadLimits, home } = ports;
    const context = { run: options.settings.run, payloadLimits, nowMs: () => home.nowMs() };
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

  /** Entries that the store holds in the outbox and that are not known to be published. */
  get outbox(): string[] {
    return this.#memory.outbox;
  }

  /** The round has ended, something failed in it, and a further one is asked for. */
  get mayTryAgain(): boolean {
    const { evaluation } = this.view;
    if (evaluation.stage !== 'Ended' || evaluation.states[0] === 'Succeeded') return false;
    return this.settings.retryFailed > this.#memory.head.retried;
  }

  /** The queue of a slot's task, by today's routes; undefined while there is none. */
  queueOf(slot: number): string | undefined {
    return this.#routeOf(slot)?.queue;
  }

  /** The same, where a message that is nowhere can be told from one that is being worked on. */
  watchedQueue(slot: number): string | undefined {
    const route = this.#routeOf(slot);
    return route?.isWatched === true ? route.queue : undefined;
  }

  see(observation: Observation): void {
    this.#inbox.push(observation);
  }

  /** What the store holds may be another thing than is known here; it is read before the next decision. */
  doubt(): void {
    this.#mayBeStale = true;
  }

  /** What stands in the store is what is known from here on. */
  take(stored: StoredRun): void {
    this.#memory.take(stored);
    this.#mayBeStale = false;
    this.#countInFlight();
  }

  /** The run is over, or not this operator's any more: nothing of it takes up room in queues. */
  drop(): void {
    this.#inFlight.drop();
  }

  /** Decides on what was seen and writes it, with the messages that follow, in one call. Throws what the store throws. */
  async turn(fence: number): Promise<Turn> {
    if (this.#mayBeStale) {
      const older = await this.#reload();
      if (older !== undefined) return older;
    }
    const seen = this.#inbox.splice(0, observationsPerCall);
    // Until the answer is here nobody knows whether it was done; what stands is read before the next decision.
    this.#mayBeStale = true;
    try {
      return await (this.#asked(fence, seen) ?? this.#decide(fence, seen));
    } catch (error) {
      this.#inbox.unshift(...seen);
      throw error;
    }
  }

  /** A cancel or a new round that is asked for goes first, and by itself. */
  #asked(fence: number, seen: readonly Observation[]): Promise<Turn> | undefined {
    const request = { fence, rev: this.rev, records: [], publishes: [], unfolds: [], ledger: [] };
    const cancel = askedCancel(this.settings, this.view, this.#ports.home.nowMs());
    if (cancel !== undefined) return this.#write({ ...request, cancel }, seen);
    if (!this.mayTryAgain) return undefined;
    const newRound = { slots: newRoundSlots(this.view), atTicks: this.nowTicks, retried: this.settings.retryFailed };
    return this.#write({ ...request, newRound }, seen);
  }

  async #decide(fence: number, seen: readonly Observation[]): Promise<Turn> {
    for (const each of seen)
      if (each.seen === 'Reported' && each.member === 0) this.reports.set(each.step, each.report);
    const before = this.#memory.state.slots;
    const decision = this.#memory.decide(seen, this.key.run48);
    this.#memory.learn(decision);
    const routes = new RoutesOfTurn(this.#router);
    this.#inFlight.ended(decision.records, before, (slot) => this.#routeOf(slot, routes)?.queue);
    const { maxParallel } = this.settings;
    const isHeld = this.settings.suspended && this.view.state.cancelled === '';
    const suspended = isHeld || this.identity.round > this.releasedRound;
    const wishes = wishesOf(this.view, { routes, suspended, maxParallel });
    this.blocked = wishes.blocked;
    const granted = this.#inFlight.granted(wishes, limits.publishesPerCall);
    const { publishes, records: failed, prerequisites } = this.#publications(granted, wishes.stranded);
    const ledger = ledgerChanges(this.#memory.ledger, wishes, granted);
    const records = [...decision.records, ...failed];
    const { unfolds } = decision;
    if (records.length + publishes.length + unfolds.length + ledger.length === 0) {
      this.#mayBeStale = false;
      return { did: this.#inbox.length > 0 || decision.hasMore ? 'Something' : 'Nothing' };
    }
    await storeFailures(prerequisites, this.#ports);
    return this.#write({ fence, rev: this.rev, records, unfolds, ledger, publishes }, seen);
  }

  #routeOf(slot: number, routes = new RoutesOfTurn(this.#router)): Route | undefined {
    const { state } = this.#memory;
    const step = stepAt(this.plan, placeOfSlot(state.maps, slot).step);
    if (step.kind !== 'Task') return undefined;
    const found = routes.find(step, readSlot(state.slots, slot));
    return isRoute(found) ? found : undefined;
  }

  #publications(granted: readonly DueAttempt[], stranded: readonly number[]): Publications {
    const { identity, view } = this;
    const { newTag, home } = this.#ports;
    const context = { identity, view, outcome: () => outcomeOf(identity, view), newTag, nowMs: home.nowMs() };
    return publicationsOf(context, granted, stranded);
  }

  async #write(request: AdvanceRequest, seen: readonly Observation[]): Promise<Turn> {
    const answer = await this.#ports.store.advance(this.key, request);
    if (!answer.ok) return this.#refused(answer, seen);
    // What a cancel or a new round leaves is read from the store: both are rare, and change much at once.
    const isRare = request.cancel !== undefined || request.newRound !== undefined;
    if (isRare) this.#inbox.unshift(...seen);
    else this.#memory.settle(request, answer.rev);
    this.#mayBeStale = isRare;
    return { did: 'Something' };
  }

  #refused(answer: Exclude<AdvanceAnswer, { ok: true }>, seen: readonly Observation[]): Turn {
    this.#inbox.unshift(...seen);
    const { refusal } = answer;
    const older = 'stored' in answer ? this.#takeRead(answer.stored) : undefined;
    return { did: 'Refused', refusal, ...(older === undefined ? {} : { older }) };
  }

  async #reload(): Promise<Turn | undefined> {
    const stored = await this.#ports.store.read(this.key);
    if (stored === undefined) return { did: 'Refused', refusal: 'HeadMissing' };
    const older = this.#takeRead(stored);
    return older === undefined ? undefined : { did: 'Refused', refusal: 'StaleRev', older };
  }

  /** Answers it where it is older than what is known. What was seen of an earlier round says nothing of a further one. */
  #takeRead(stored: StoredRun): StoredRun | undefined {
    if (stored.head.rev < this.rev) return stored;
    if (stored.head.round !== this.identity.round) this.#inbox = [];
    this.take(stored);
    return undefined;
  }

  #countInFlight(): void {
    const routes = new RoutesOfTurn(this.#router);
    this.#inFlight.count(this.plan, this.#memory.state, (slot) => this.#routeOf(slot, routes)?.queue);
  }
}
