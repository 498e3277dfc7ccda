import { nullText, parseJson } from '#core/base/json-text.ts';
import { shardOf } from '#core/base/task-id.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { Plan } from '#core/canvas/plan.ts';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeResultMeta, statusOf } from '#core/celery/result-meta.ts';
import { parseWorkflowSpec } from '#core/resources/parse-workflow-spec.ts';
import { evaluate, type Evaluation } from '#core/workflow/evaluate.ts';
import type { Route } from '#operator/runs/route.ts';
import { specText, tasksOf, type TreeRun } from './canvas-tree.ts';
import { SimulatedOperator, type Crash, type InFlight } from './simulated-operator.ts';
import { idOf, SimulatedWorkers, type Announced } from './simulated-workers.ts';
import { WatchedStore } from './watched-store.ts';

const uid = 'c0ffee00-1234-4abc-8def-0123456789ab';

/** Losses of one step that are still within its bound. */
const lossesOfAStep = 3;

export interface SimulationOptions {
  /** Errbacks travel in carriers, as to unmodified workers. */
  readonly carriesErrbacks: boolean;
  /** The queue is in another broker, behind the outbox. */
  readonly isElsewhere: boolean;
  /** Messages in one call of the deciding script. */
  readonly most: number;
}

export function planOfTree(run: TreeRun): Plan {
  const spec = parseWorkflowSpec(parseJson(specText(run)));
  if (!spec.ok) throw new Error(spec.error.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return planOf(normalise(spec.value));
}

/** A queue, workers, operators and everything that goes wrong between them. Each action is one thing that happens. */
export class SimulatedRun {
  readonly plan: Plan;
  readonly store = new WatchedStore();
  readonly workers: SimulatedWorkers;
  readonly queue: string[] = [];
  /** Results that were announced and not yet heard by anyone. */
  hints: Announced[] = [];
  operators: SimulatedOperator[] = [];
  readonly #options: SimulationOptions;
  /** Taken by a worker that is thought dead and is not. */
  readonly #undead: string[] = [];
  readonly #losses = new Map<number, number>();
  #taken = 0;

  constructor(run: TreeRun, options: SimulationOptions) {
    this.plan = planOfTree(run);
    this.workers = new SimulatedWorkers(tasksOf(run));
    this.#options = options;
  }

  async begin(): Promise<void> {
    const fence = await this.store.takeOver(0xc0);
    const answer = await this.store.store.begin({ uid, planVersion: 1, digest: 'd', fence });
    if (!answer.ok) throw new Error('refused');
    this.store.run = answer.run;
    await this.addOperator();
  }

  /** Another process under the fence that stands: two who lead at once. */
  async addOperator(): Promise<void> {
    const { isElsewhere, carriesErrbacks, most } = this.#options;
    const route: Route = {
      queue: 'q',
      list: 'q',
      bell: 'bell',
      isWatched: true,
      carriesErrbacks,
      place: isElsewhere ? { broker: 'b' } : { db: 0 },
    };
    const { plan, store } = this;
    const storeFailure = (id: string, exc: string): void => this.workers.storeFailure(id, exc);
    this.operators.push(await SimulatedOperator.start({ plan, store, fence: store.fence, route, most, storeFailure }));
  }

  /** A new leader, while the old ones do not know it yet. */
  async takeOver(): Promise<void> {
    await this.store.takeOver(shardOf(this.store.run.run48));
    await this.addOperator();
  }

  async turn(which: number, crash: Crash, cancel = false): Promise<boolean> {
    const operator = this.#operator(which);
    const did = await operator.turn(crash, cancel);
    if (this.#options.isElsewhere && !operator.isFencedOut) await this.#publishOutbox(operator, crash);
    this.#collect();
    return did;
  }

  work(which: number, isRedelivered = false): void {
    const message = isRedelivered ? this.queue[which % this.queue.length] : this.#take(which);
    if (message === undefined) return;
    this.hints.push(this.workers.run(message));
  }

  /** A worker takes a message and dies, or is taken for dead and goes on later. */
  takeAndDie(which: number, isUndead: boolean): void {
    const message = this.queue[which % this.queue.length];
    if (message === undefined) return;
    const { step } = idOf(idIn(message));
    const losses = this.#losses.get(step) ?? 0;
    if (losses >= lossesOfAStep) return;
    this.#losses.set(step, losses + 1);
    this.#take(which);
    if (isUndead) this.#undead.push(message);
  }

  undeadFinishes(which: number): void {
    const [message] = this.#undead.splice(which % Math.max(1, this.#undead.length), 1);
    if (message === undefined) return;
    this.hints.push(this.workers.run(message));
  }

  /** All at once: taken for dead, sent again, and then the first attempt answers after all. */
  async answerLate(which: number): Promise<void> {
    const before = this.#undead.length;
    this.takeAndDie(which, true);
    if (this.#undead.length === before) return;
    const last = this.operators.length - 1;
    this.findLost(last);
    await this.turn(last, 'never');
    this.undeadFinishes(before);
    this.#operator(last).hear(this.hints.at(-1)!);
  }

  started(which: number): void {
    const message = this.queue[which % this.queue.length];
    if (message === undefined) return;
    const id = idIn(message);
    const status = which % 2 === 0 ? 'STARTED' : 'RETRY';
    this.hints.push({ id, text: encodeResultMeta({ id, status, resultText: nullText, dateDone: null }) });
  }

  hear(which: number, isKept: boolean): void {
    const hint = this.hints[which % this.hints.length];
    if (hint === undefined) return;
    this.#operator(which).hear(hint);
    if (!isKept) this.hints = this.hints.filter((each) => each !== hint);
  }

  sweep(which: number): void {
    this.#operator(which).sweep(this.workers.results);
  }

  /** What is in no queue and has no result is taken for lost, as the operator's own search does. */
  findLost(which: number): void {
    const operator = this.#operator(which);
    for (const each of operator.inFlight()) if (this.#isAbsent(each)) operator.lost(each);
  }

  stepOf(message: string): number {
    return idOf(idIn(message)).step;
  }

  async evaluation(): Promise<Evaluation> {
    const { slots, head } = await this.store.read();
    return evaluate(this.plan, slots, head.cancelled);
  }

  /** No more faults: everything goes on until nothing does. */
  async settle(): Promise<void> {
    const most = 20 + this.plan.steps.length * 12;
    for (let round = 0; round < most; round += 1) {
      if ((await this.evaluation()).stage === 'Ended') return;
      this.operators = [];
      await this.takeOver();
      for (let turns = 0; await this.turn(0, 'never'); turns += 1) {
        if (turns > most) throw new Error('the operator is never done deciding');
      }
      while (this.queue.length > 0) this.work(0);
      this.sweep(0);
      this.findLost(0);
      while (this.#undead.length > 0) this.undeadFinishes(0);
      await this.turn(0, 'never');
    }
    throw new Error(`the run has not ended: ${(await this.evaluation()).states.join(' ')}`);
  }

  async #publishOutbox(operator: SimulatedOperator, crash: Crash): Promise<void> {
    const entries = await operator.outbox();
    for (const entry of entries) this.queue.push((JSON.parse(entry) as { message: string }).message);
    if (crash === 'never') await operator.mark(entries);
  }

  #collect(): void {
    const { pushed } = this.store;
    for (; this.#taken < pushed.length; this.#taken += 1) this.queue.push(pushed[this.#taken]!.message);
  }

  #take(which: number): string | undefined {
    return this.queue.splice(which % Math.max(1, this.queue.length), 1)[0];
  }

  #operator(which: number): SimulatedOperator {
    const operator = this.operators[which % this.operators.length];
    if (operator === undefined) throw new Error('there is no operator');
    return operator;
  }

  #isAbsent({ step, attempt, id }: InFlight): boolean {
    if (isEnd(this.workers.results.get(id))) return false;
    return !this.queue.some((message) => {
      const at = idOf(idIn(message));
      return at.step === step && at.attempt === attempt;
    });
  }
}

export function idIn(message: string): string {
  const decoded = decodeTaskMessage(message);
  if (!decoded.ok) throw new Error(decoded.error.message);
  return decoded.value.id;
}

function isEnd(text: string | undefined): boolean {
  const status = statusOf(text ?? '');
  return status === 'SUCCESS' || status === 'FAILURE';
}
