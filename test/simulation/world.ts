import type { Log } from '#core/base/log.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import type { KubeClient } from '#io/kube/client.ts';
import type { Lease } from '#io/kube/lease.ts';
import type { RunPorts } from '#operator/runs/run-ports.ts';
import type { RunSettings } from '#operator/runs/run-settings.ts';
import { Actor } from './kernel/actor.ts';
import { Chance } from './kernel/chance.ts';
import { Faults, type FaultKind } from './kernel/faults.ts';
import type { Agenda } from './kernel/agenda.ts';
import { epochMs, Timeline } from './kernel/timeline.ts';
import { FakeApiServer } from './servers/fake-api-server.ts';
import { FakeRedis } from './servers/fake-redis.ts';
import { checkWorkflowChange } from './servers/workflow-admission.ts';
import { HintChannel } from './actors/hint-channel.ts';
import { SimulatedOperator } from './actors/simulated-operator.ts';
import { SimulatedUser } from './actors/simulated-user.ts';
import { WorkerFleet } from './actors/worker-fleet.ts';
import { createSecret, secretName } from './actors/connection-secret.ts';
import { LeaseLeadership } from './actors/lease-leadership.ts';
import { Leadership, type Leading } from './actors/leadership.ts';
import { BoundsJudge } from './oracle/bounds-judge.ts';
import { stageOf, type Circumstances } from './oracle/ended-run.ts';
import { judgeRun } from './oracle/judge-run.ts';
import { judgeWrites } from './oracle/judge-writes.ts';
import { Oracle } from './oracle/oracle.ts';
import { Violation } from './oracle/violation.ts';
import type { WorkflowCase } from './oracle/workflow-case.ts';
import { Disasters } from './disasters.ts';
import { PoolWorld, type ReaderPlant } from './pools/pool-world.ts';
import { retryQueue, usualQueue } from './queues.ts';
import { tellQueue } from './told-queues.ts';
import { namespace, type Surroundings } from './surroundings.ts';
import type { Swarm } from './swarm.ts';
import type { Canvas } from './canvas/canvas.ts';

const connection = secretName;

/** After the last fault a run must have ended within this virtual time: a lost handler is given up after 20 minutes. */
const calmMs = 4_000_000;

/** Without work a pool is at its least so long after the delay: what drains must end, and the last watch be noticed to be dead. */
const settlesWithinMs = 300_000;
/** So long it is then watched. */
const restsMs = 5_000;

/** Faults after which a task may never answer, though it ran. */
const losing: readonly FaultKind[] = [
  'WorkerDies',
  'WorkerHangs',
  'WorkerThoughtDead',
  'MessageVanishes',
  'ResultVanishes',
  'Redis',
  'RequestLost',
  'AnswerLost',
  'Slow',
] as readonly string[] as readonly FaultKind[];

export interface WorldOptions {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly only?: ReadonlySet<string> | undefined;
  readonly agenda?: Agenda;
  readonly tell?: ((atMs: number, who: string, what: string) => void) | undefined;
  /** Stands between the engine and its ports: where planted bugs live. */
  readonly ports?: ((ports: RunPorts) => RunPorts) | undefined;
  /** The same between the poller and the depths that it reads. */
  readonly reader?: ReaderPlant | undefined;
  /** The same between the operator and the API server. */
  readonly kube?: ((client: KubeClient) => KubeClient) | undefined;
  /** Stands between a Workflow and what its engine is asked for. */
  readonly asked?: ((settings: RunSettings) => RunSettings) | undefined;
  /** The same between the gate and the Lease of an operator. */
  readonly lease?: ((lease: Lease) => Lease) | undefined;
  /** Spoils a part of the product for as long as the world lasts; the function that it returns mends it. */
  readonly spoil?: (() => () => void) | undefined;
  /** Told of every call of an operator, before it leaves and after it was performed; may crash who makes it. */
  readonly effects?: (when: 'Before' | 'After', client: Actor, what: string, crash: () => void) => void;
  readonly canvases?: readonly Canvas[];
}

/** One simulated world: servers, operators, workers and a user, under one seed. */
export class World implements Surroundings {
  readonly options: WorldOptions;
  readonly swarm: Swarm;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly api: FakeApiServer;
  readonly apiServer: { readonly actor: Actor; isUp: boolean; incarnation: number };
  readonly home: FakeRedis;
  readonly broker: FakeRedis;
  readonly hints: HintChannel;
  readonly operators: SimulatedOperator[] = [];
  readonly fleet: WorkerFleet;
  readonly user: SimulatedUser;
  readonly leadership: Leading;
  readonly disasters: Disasters;
  readonly pool: PoolWorld | undefined;
  #skews = new Map<string, number>();

  constructor(options: WorldOptions) {
    this.options = options;
    const { seed, swarm } = options;
    this.swarm = swarm;
    this.chance = new Chance(seed, 'world');
    this.timeline = new Timeline({
      chance: this.chance.split('ties'),
      ...(options.agenda === undefined ? {} : { agenda: options.agenda }),
      tell: options.tell,
      ...(swarm.hasLease || swarm.pool !== undefined ? { mostInAll: 300_000 } : {}),
      afterEach: () => {
        if (this.oracle.violation !== undefined) throw this.oracle.violation;
      },
    });
    const nowMs = (): number => this.timeline.nowMs;
    this.faults = new Faults({ seed, strengths: swarm.strengths, only: options.only, nowMs });
    const isCalm = (): boolean => this.faults.struck.length === 0;
    const isExact = (): boolean => this.faults.struck.every(({ key }) => key.startsWith('BrokerAway'));
    this.oracle = new Oracle({ nowMs, isCalm, isExact, latencyMs: swarm.latencyMs });
    this.apiServer = { actor: new Actor('api'), isUp: true, incarnation: 1 };
    const uids = this.chance.split('uids');
    this.api = new FakeApiServer({
      nowText: () => new Date(Math.floor(epochMs + nowMs())).toISOString(),
      newUid: () => newUid(uids, swarm.collides),
      admission: checkWorkflowChange,
    });
    this.home = new FakeRedis('redis', this.timeline);
    this.broker = swarm.isElsewhere ? new FakeRedis('broker', this.timeline) : this.home;
    this.hints = new HintChannel(this.home, {
      timeline: this.timeline,
      faults: this.faults,
      latencyMs: swarm.latencyMs,
    });
    this.fleet = new WorkerFleet(this);
    this.user = new SimulatedUser(this);
    this.leadership = swarm.hasLease ? new LeaseLeadership(this) : new Leadership(this);
    this.disasters = new Disasters(this);
    const plant = options.reader ?? ((read) => read);
    this.pool = swarm.pool && new PoolWorld(this, swarm.pool, { fleet: this.fleet, plant });
    this.home.onPushed = (message, queue) => this.#pushed(message, queue, true);
    if (this.broker !== this.home) this.broker.onPushed = (message, queue) => this.#pushed(message, queue, false);
  }

  get cases(): readonly WorkflowCase[] {
    return this.oracle.cases;
  }

  /** Runs to the end of everything, and judges. Throws the `Violation` that was found. */
  async run(): Promise<void> {
    const { faultsEndMs, isElsewhere } = this.swarm;
    createSecret(this.api, isElsewhere);
    for (let i = 0; i < this.swarm.operators; i += 1) this.addOperator(`operator-${'abc'[i] ?? i}`);
    this.leadership.begin();
    this.fleet.start();
    this.user.begin(this.options.canvases);
    this.pool?.begin(connection.name);
    this.disasters.plan();
    if (this.faults.strengthOf('BrokerAway') > 0) new BoundsJudge(this).begin();
    await this.timeline.run(() => this.user.isDone && this.#isOver(), faultsEndMs);
    this.#calm();
    const { settlesInMs } = this.leadership;
    if (settlesInMs > 0) await this.timeline.run(() => false, this.timeline.nowMs + settlesInMs);
    const untilMs = this.timeline.nowMs + calmMs;
    await this.timeline.run(() => this.user.isDone && this.#isOver() && this.#isCleaned(), untilMs);
    await this.#judge();
    await this.#settle();
  }

  addOperator(name: string): SimulatedOperator {
    const { timeline, faults, swarm, oracle, home, broker, hints, api, apiServer, chance } = this;
    const operator = new SimulatedOperator(name, {
      ...{ timeline, faults, namespace, connection, home, broker, hints, api, apiServer },
      chance: chance.split(name),
      latencyMs: swarm.latencyMs,
      showResults: swarm.showResults,
      clockOffsetMs: this.#skewOf(name),
      effects: (when, client, what) => this.#effect(when, client, what),
      store: oracle,
      log: this.#log(name),
      began: (each) => this.leadership.began(each),
      lease: this.options.lease ?? ((lease) => lease),
      noted: (note) => oracle.noted(note),
      slotsOf: (queue) => this.fleet.slotsOf(queue),
      revoke: (ids) => this.fleet.revoke(ids),
      ask: (ids) => this.fleet.ask(ids),
      ports: this.options.ports ?? ((ports) => ports),
      kube: this.options.kube ?? ((client) => client),
      pool: this.pool,
      asked: (settings) => {
        oracle.observed(name, { uid: settings.run.uid, suspended: settings.suspended });
        return this.options.asked?.(settings) ?? settings;
      },
    });
    this.operators.push(operator);
    if (this.pool === undefined) this.#tellQueues(operator);
    operator.start();
    this.leadership.joined(operator);
    return operator;
  }

  #effect(when: 'Before' | 'After', client: Actor, what: string): void {
    this.options.effects?.(when, client, what, () => {
      const operator = this.operators.find(({ actor }) => actor === client);
      if (operator !== undefined) this.leadership.crash(operator, 500);
    });
  }

  #tellQueues(operator: SimulatedOperator): void {
    const { isCelery, queueComesLate, escalation } = this.swarm;
    const tellLater = (name: string, delayMs: number): void => {
      const told = { connection: connection.name, isCelery };
      this.timeline.in(delayMs, operator.actor, 'queues known', () => tellQueue(operator, name, told));
    };
    tellLater(usualQueue, queueComesLate ? 3_000 : 0);
    if (escalation !== undefined) tellLater(retryQueue, Math.max(0, escalation.comesAtMs - this.timeline.nowMs));
  }

  /** Chance says once for each process how wrong its clock is. */
  #skewOf(name: string): number {
    const known = this.#skews.get(name);
    if (known !== undefined) return known;
    const skewed = this.faults.strike('ClockSkew', name);
    const ms = skewed === undefined ? 0 : this.faults.size(skewed, -600_000, 600_000);
    this.#skews.set(name, ms);
    return ms;
  }

  #log(name: string): Log {
    const write =
      (level: string) =>
      (fields: object, message: string): void => {
        this.oracle.logged(fields, message);
        this.timeline.tell(name, () => `${level}: ${message} ${errorIn(fields)}`);
      };
    return { debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') };
  }

  #pushed(message: string, queue: string, byScript: boolean): void {
    this.oracle.sent(message, queue, byScript);
    // Pods come before the operator hears of them: until then it fills the window of a queue that nobody serves.
    const slots = this.pool === undefined ? this.fleet.slotsOf(queue) : undefined;
    this.oracle.waiting(queue, this.broker.data.broker.count(queue), slots);
    this.fleet.pushed(message, queue);
  }

  /** No more faults: everything that was broken comes back. */
  #calm(): void {
    this.faults.quieten();
    this.timeline.tell('world', () => 'no more faults');
    this.disasters.end();
    this.leadership.calm();
    this.fleet.calm();
  }

  #isOver(): boolean {
    return this.cases.every(({ isDeleted, finished }) => isDeleted || finished !== undefined);
  }

  /** Nothing is registered any more. An operator looks after a home once it has a Workflow for it, and not before. */
  #isCleaned(): boolean {
    return this.#registered().length === 0 || !this.operators.some(({ hasHome }) => hasHome);
  }

  /** UIDs, as the registry itself holds them: what forgets may forget a run in it, or that it was taken out. */
  #registered(): readonly string[] {
    return [...this.home.data.runs.snapshot().registry.values()];
  }

  /** A pool without work comes to rest, and stays so. */
  async #settle(): Promise<void> {
    const { pool, timeline, swarm } = this;
    if (pool === undefined) return;
    const { scaleDownDelayMs = 0 } = swarm.pool ?? {};
    const untilMs = timeline.nowMs + scaleDownDelayMs + settlesWithinMs;
    for (let changes = -1; changes < pool.judge.changes;) {
      await timeline.run(() => pool.isSettled, untilMs);
      if (!pool.isSettled) throw new Violation('P8', `the pool does not come to rest: ${pool.describe()}`);
      ({ changes } = pool.judge);
      // An operator may still hear of what was edited long ago: then it must come to rest anew.
      await timeline.run(() => false, timeline.nowMs + restsMs);
    }
  }

  async #judge(): Promise<void> {
    for (const workflow of this.cases) {
      if (workflow.isDeleted) continue;
      if (workflow.finished === undefined) {
        throw new Violation('P1', `${workflow.key} has not ended within ${calmMs / 1000} s after the last fault`);
      }
      await this.#judgeCase(workflow);
      const writes = this.oracle.writes.of(workflow.uid);
      if (writes !== undefined) judgeWrites(workflow.key, writes, this.faults.struck);
    }
    const [left] = this.#registered();
    if (!this.#isCleaned()) throw new Violation('P10', `the run of ${left ?? ''} was never taken out of the registry`);
  }

  async #judgeCase(workflow: WorkflowCase): Promise<void> {
    const state = workflow.finished?.state ?? '';
    const { hasLostData } = this.oracle;
    const found = await this.#runOf(workflow);
    // Only what forgets may make a run be forgotten.
    if (hasLostData && (state === 'DataLost' || found === undefined)) return;
    if (found === undefined) {
      judgeWithoutRun(workflow, state, this.swarm.queueComesLate);
      return;
    }
    const expected = judgeRun({ workflow, ...found, ...this.#circumstancesOf(workflow) });
    if (state !== expected) throw new Violation('P4', `${workflow.key} ended as ${state} and should as ${expected}`);
  }

  #circumstancesOf({ wasSuspended, canvas }: WorkflowCase): Circumstances {
    const { isElsewhere, queueComesLate, latencyMs, size, escalation } = this.swarm;
    const isWaited = escalation !== undefined && escalation.pausedUntilMs + escalation.comesAtMs > 0;
    const { losses, hasLostData } = this.oracle;
    const isHeld = wasSuspended || canvas.maxParallel !== undefined || size.wide > 0 || isWaited;
    return {
      mayLose: this.#struck(losing),
      mayRepeat: isElsewhere || this.#struck(['MessageRepeated']) || hasLostData,
      losses,
      latencyMs,
      // Whoever watches every call may crash its caller.
      isPrompt: !queueComesLate && !isHeld && this.options.effects === undefined,
    };
  }

  /** What is lost of a run after it has ended nobody misses: it is then judged as it stood when its end was shown. */
  async #runOf(workflow: WorkflowCase) {
    const run = this.oracle.keyOf(workflow.uid);
    const held = run === undefined ? undefined : await this.home.data.runs.read(run);
    const isWhole = held === undefined || !this.#mayBeAnother(workflow, held) || isStillWhole(workflow, held);
    const stored = isWhole ? held : (workflow.storedAtEnd ?? held);
    if (run === undefined || stored === undefined || this.#isUnbegun(workflow, stored)) return undefined;
    // An operator goes on with what it remembers.
    const kept = this.#struck(['ValuesLost']) ? new Map([...workflow.keptEver, ...stored.kept]) : stored.kept;
    return { run, stored: { ...stored, kept } };
  }

  /** Begun by an operator that did not know yet of its end without a beginning: it sends nothing before status tells of the run. */
  #isUnbegun(workflow: WorkflowCase, stored: StoredRun): boolean {
    return this.swarm.queueComesLate && workflow.sent.length === 0 && stageOf(workflow, stored) !== 'Ended';
  }

  /** Redis forgot something of it; or a further round began, and a cancel was heard before anything of it was sent. */
  #mayBeAnother({ cancelAskedAtMs, sent }: WorkflowCase, { head: { round } }: StoredRun): boolean {
    const isInVain = cancelAskedAtMs < Infinity && round > 0 && sent.every((each) => each.round < round);
    return this.oracle.hasLostData || isInVain;
  }

  /** Whether any of these kinds has struck. */
  #struck(kinds: readonly FaultKind[]): boolean {
    return this.faults.struck.some(({ key }) => kinds.some((kind) => key.startsWith(kind)));
  }
}

/** It ended, and has not lost since what it kept. */
function isStillWhole(workflow: WorkflowCase, held: StoredRun): boolean {
  return stageOf(workflow, held) === 'Ended' && held.kept.size >= (workflow.storedAtEnd?.kept.size ?? 0);
}

/** A Workflow without tasks ends at once, and has no run; nor has one that was stopped before a queue took its first task. */
function judgeWithoutRun(workflow: WorkflowCase, state: string, queueComesLate: boolean): void {
  const { key, tasks, sent, cancelAskedAtMs, deadlineMs } = workflow;
  const isStopped =
    (state === 'Cancelled' && cancelAskedAtMs < Infinity) || (state === 'DeadlineExceeded' && deadlineMs !== undefined);
  if (isStopped && queueComesLate && sent.length === 0) return;
  if (tasks.size > 0) throw new Violation('P1', `${key} ended as ${state} and has no run`);
}

function errorIn(fields: object): string {
  const { error, err } = fields as { error?: unknown; err?: unknown };
  return err instanceof Error ? err.message : typeof error === 'string' ? error : '';
}

/** Version 4, by chance; colliding ones share what a run's short id is made of. */
function newUid(chance: Chance, collides: boolean): string {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => chance.between(0, 15).toString(16)).join('');
  const head = collides ? 'aaaaaaaa-bbbb' : `${hex(8)}-${hex(4)}`;
  return `${head}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}
