import type { WorkerPoolStatus } from '#core/resources/worker-pool.ts';
import type { TaskQueueStatus } from '#core/resources/task-queue.ts';
import { inFlightOf, type DepthReading } from '#operator/depths/depth-reading.ts';
import type { Actor } from '../kernel/actor.ts';
import type { SimulatedPod } from '../pools/simulated-pod.ts';
import { poolName, queueName } from '../pools/pool-objects.ts';
import type { PoolSwarm } from '../pools/pool-swarm.ts';
import type { Surroundings } from '../surroundings.ts';
import { Violation } from './violation.ts';

type Bounds = Pick<PoolSwarm, 'minReplicas' | 'maxReplicas'>;

interface Read {
  readonly atMs: number;
  readonly waiting: number | undefined;
  readonly held: number | undefined;
  readonly inFlight: number | undefined;
  readonly slots: number;
  readonly busy: number;
}

/** An object of which the judge reads parts. */
interface Seen {
  readonly kind?: string | undefined;
  readonly metadata: { readonly name: string; readonly generation?: number | undefined };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** A number that is shown, or pods that go, rest on something read at most so long ago: an answer takes 8 s, a wait 3 s. */
const freshMs = 20_000;
/** Pods outlast their work so long, whatever the spec says. */
const leastDelayMs = 1_000;
/** Ups and downs of the number of pods within this time, and how many of them at most: two that lead at once may differ. */
const windowMs = 1_000;
const mostTurns = 8;
/** An operator that slept for 20 s wakes with what it knew. */
const sleptMs = 25_000;

/**
 * Holds what operators do with a pool to P7, P8 and P14: pods end only when they are idle or their time is over; their
 * number stays in its bounds, does not go up and down within the delay, and comes to rest; what is not known is neither
 * shown nor acted upon.
 */
export class PoolJudge {
  readonly #world: Surroundings;
  readonly #swarm: PoolSwarm;
  readonly #bounds: { readonly atMs: number; readonly bounds: Bounds }[] = [];
  #reads: Read[] = [];
  #replicas: number | undefined;
  #raisedAtMs = -Infinity;
  #direction = 0;
  #turns: readonly number[] = [];
  #status: { queue?: TaskQueueStatus; pool?: WorkerPoolStatus } = {};
  #changes = 0;
  #generation = 0;

  constructor(world: Surroundings, swarm: PoolSwarm) {
    this.#world = world;
    this.#swarm = swarm;
  }

  /** How often an operator has changed the number of pods. */
  get changes(): number {
    return this.#changes;
  }

  /** Depths were read wholly. */
  read(_by: Actor, reading: DepthReading): void {
    const { leases } = reading;
    const atMs = this.#nowMs;
    this.#reads = this.#reads.filter((each) => each.atMs > atMs - freshMs - sleptMs);
    this.#reads.push({
      atMs,
      waiting: reading.waiting.get(queueName),
      held: reading.held.get(queueName),
      inFlight: inFlightOf(reading, queueName),
      slots: leases.reduce((sum, lease) => sum + lease.slots, 0),
      busy: leases.reduce((sum, lease) => sum + lease.busy, 0),
    });
  }

  /** An object changed at the API server. */
  changed(type: string, object: Seen): void {
    if (type === 'DELETED') return;
    if (object.kind === 'Deployment') this.#judgeReplicas(object.spec as { readonly replicas: number });
    if (object.kind === 'TaskQueue') this.#judgeQueue(object.status as TaskQueueStatus | undefined);
    if (object.kind !== 'WorkerPool') return;
    this.#generation = object.metadata.generation ?? 0;
    this.#noteBounds((object.spec as { readonly autoscaling: Bounds }).autoscaling);
    this.#judgePool(object.status as WorkerPoolStatus | undefined);
  }

  /** A worker that was asked to stop ends now, or is made to. */
  stops({ name, busy, afterMs }: { readonly name: string; readonly busy: number; readonly afterMs: number }): void {
    // Sums of virtual time are off by a little.
    if (busy === 0 || afterMs >= this.#swarm.drainMs - 1) return;
    this.#fail('P7', `${name} was killed with ${busy} tasks ${afterMs} ms after it was asked to stop`);
  }

  /** When depths were last read wholly. */
  get lastReadAtMs(): number {
    return this.#reads.at(-1)?.atMs ?? -Infinity;
  }

  /** The numbers that are shown; empty where there are none. */
  get shown(): string {
    const { waiting, held, inFlight } = this.#status.queue ?? {};
    const text = JSON.stringify({ waiting, held, inFlight, slots: this.#status.pool?.slots });
    return text === '{}' ? '' : text;
  }

  /** All is quiet: as many pods as are wanted without work, and the status of the newest spec says so. */
  isSettled(pods: readonly SimulatedPod[]): boolean {
    const { minReplicas } = this.#latestBounds;
    const { queue, pool } = this.#status;
    const there = pods.filter(({ exists, hasEnded }) => exists && !hasEnded);
    return (
      this.#replicas === minReplicas &&
      there.length === minReplicas &&
      there.every(({ isReady }) => isReady) &&
      pool?.replicas === minReplicas &&
      pool.observedGeneration === this.#generation &&
      queue?.waiting === 0 &&
      queue.held === 0 &&
      queue.inFlight === 0
    );
  }

  /** What is there, for who wonders why it does not settle. */
  describe(pods: readonly SimulatedPod[]): string {
    const there = pods.filter(({ exists, hasEnded }) => exists && !hasEnded).length;
    const { queue, pool } = this.#status;
    const { waiting, held, inFlight } = queue ?? {};
    const wanted = this.#latestBounds.minReplicas;
    return `${there} pods for ${this.#replicas} replicas, ${wanted} wanted; shown ${JSON.stringify({ waiting, held, inFlight, replicas: pool?.replicas })}`;
  }

  get #nowMs(): number {
    return this.#world.timeline.nowMs;
  }

  get #latestBounds(): Bounds {
    return this.#bounds.at(-1)!.bounds;
  }

  #noteBounds({ minReplicas, maxReplicas }: Bounds): void {
    const last = this.#bounds.at(-1)?.bounds;
    if (last?.minReplicas === minReplicas && last.maxReplicas === maxReplicas) return;
    this.#bounds.push({ atMs: this.#nowMs, bounds: { minReplicas, maxReplicas } });
  }

  #judgeReplicas({ replicas: is }: { readonly replicas: number }): void {
    const was = this.#replicas;
    this.#replicas = is;
    if (was === is) return;
    this.#changes += 1;
    if (was !== undefined) this.#judgeTurns(Math.sign(is - was));
    this.#world.timeline.tell(poolName, () => `${was ?? 'no'} replicas become ${is}`);
    this.#judgeBounds(was ?? 0, is);
    if (was === undefined || this.#hasNewBounds()) return;
    if (is > was) this.#raisedAtMs = this.#nowMs;
    this.#judgeKnowledge(was, is);
    if (is < was) this.#judgeDecrease(was, is);
  }

  #judgeKnowledge(was: number, is: number): void {
    // Into its bounds a pool goes whatever its work.
    const isIntoBounds = was < this.#latestBounds.minReplicas && is === this.#latestBounds.minReplicas;
    if (isIntoBounds || this.#freshReads().length > 0) return;
    const why = `although no depth was known for ${this.#freshMs} ms`;
    this.#fail('P14', `the number of pods went from ${was} to ${is} ${why}`);
  }

  #judgeTurns(direction: number): void {
    // While operators may take different bounds for those that hold, each brings the pool into its own.
    if (direction === this.#direction || this.#hasNewBounds()) return;
    this.#direction = direction;
    this.#turns = [...this.#turns.filter((atMs) => atMs > this.#nowMs - windowMs), this.#nowMs];
    if (this.#turns.length <= mostTurns) return;
    this.#fail('P8', `the number of pods turned ${this.#turns.length} times within ${windowMs} ms`);
  }

  /** Within the bounds of the spec, or of one that an operator may still take for it. */
  #judgeBounds(was: number, is: number): void {
    const least = Math.min(...this.#boundsOfLate.map(({ minReplicas }) => minReplicas));
    const most = Math.max(...this.#boundsOfLate.map(({ maxReplicas }) => maxReplicas));
    // While its connection is being opened a pool is not raised, but it is never lowered below its least.
    const isBelow = is < least && was > is;
    if (is <= most && !isBelow) return;
    this.#fail('P8', `the number of pods went from ${was} to ${is}, and the bounds are ${least} and ${most}`);
  }

  /** Bounds hold until every operator may be expected to know the next. */
  get #boundsOfLate(): readonly Bounds[] {
    const since = this.#nowMs - this.#boundsMs;
    return this.#bounds.filter((_, at) => (this.#bounds[at + 1]?.atMs ?? Infinity) > since).map(({ bounds }) => bounds);
  }

  #hasNewBounds(): boolean {
    return this.#bounds.length > 1 && this.#bounds.at(-1)!.atMs > this.#nowMs - this.#boundsMs;
  }

  /** Pods that were wanted are kept for the delay, whoever leads; two that lead at once may differ about it. */
  #judgeDecrease(was: number, is: number): void {
    const scaleDownDelayMs = Math.max(leastDelayMs, this.#swarm.scaleDownDelayMs);
    const afterMs = this.#nowMs - this.#raisedAtMs;
    // Clocks of virtual time are exact, sums of them are not.
    if (afterMs >= scaleDownDelayMs - 1 || this.#mayTwoLead()) return;
    const why = `${afterMs} ms after it was raised, and scaleDownDelay is ${scaleDownDelayMs} ms`;
    this.#fail('P8', `the number of pods went from ${was} to ${is} ${why}`);
  }

  #mayTwoLead(): boolean {
    const two = ['OperatorPause', 'TwoLeaders'];
    return this.#world.faults.struck.some(({ key }) => two.some((kind) => key.startsWith(kind)));
  }

  #judgeQueue(status: TaskQueueStatus | undefined): void {
    if (status === undefined || status === this.#status.queue) return;
    const before = this.#status.queue;
    this.#status.queue = status;
    if (JSON.stringify(before) === JSON.stringify(status)) return;
    for (const name of ['waiting', 'held', 'inFlight'] as const) {
      const shown = status[name];
      if (shown === undefined || this.#freshReads().some((read) => read[name] === shown)) continue;
      this.#fail('P14', `status.${name} of the queue is shown as ${shown}, which nobody has read of late`);
    }
  }

  #judgePool(status: WorkerPoolStatus | undefined): void {
    const before = this.#status.pool;
    if (status !== undefined) this.#status.pool = status;
    const decision = JSON.stringify(status?.lastDecision);
    if (decision !== JSON.stringify(before?.lastDecision))
      this.#world.timeline.tell(poolName, () => `decided ${decision}`);
    if (status?.slots === undefined || JSON.stringify(before) === JSON.stringify(status)) return;
    const { busy, free } = status.slots;
    const isRead = this.#freshReads().some((read) => read.busy >= busy && read.slots >= busy + free);
    if (!isRead)
      this.#fail('P14', `status.slots of the pool shows ${busy} busy and ${free} free, which nobody has read`);
  }

  #freshReads(): readonly Read[] {
    const since = this.#nowMs - this.#freshMs;
    return this.#reads.filter(({ atMs }) => atMs >= since);
  }

  /** How long an operator may take old bounds for those that hold: a watch that fell silent is noticed after 90 s. */
  get #boundsMs(): number {
    return this.#world.faults.struck.length === 0 ? 1_000 : 200_000;
  }

  get #freshMs(): number {
    return freshMs + (this.#mayTwoLead() ? sleptMs : 0);
  }

  #fail(promise: string, what: string): void {
    this.#world.oracle.fail(new Violation(promise, `${poolName}: ${what}`));
  }
}
