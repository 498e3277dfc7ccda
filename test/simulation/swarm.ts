import type { Chance } from './kernel/chance.ts';
import type { FaultKind } from './kernel/faults.ts';
import type { CanvasSize } from './canvas/random-canvas.ts';
import { withEscalation, type Escalation } from './escalation.ts';
import { drawPool, poolOccasions, type PoolSwarm } from './pools/pool-swarm.ts';

/** What one seed's world is like: which faults there are and how strong, and limits that are absurdly small. */
export interface Swarm {
  readonly strengths: Map<FaultKind, number>;
  readonly operators: number;
  readonly workers: number;
  readonly workflows: number;
  readonly size: CanvasSize;
  readonly prefetch: number;
  readonly taskMs: number;
  readonly latencyMs: number;
  readonly tellsStart: boolean;
  /** Workers are unmodified Celery's: errbacks travel in carriers, and absence has to be asked for. */
  readonly isCelery: boolean;
  /** The queue is in another Redis than the runs: messages go through the outbox. */
  readonly isElsewhere: boolean;
  readonly showResults: boolean;
  /** The operator knows how many workers live; else it sends without looking. */
  readonly knowsSlots: boolean;
  /** The TaskQueue appears only when the Workflow is there. */
  readonly queueComesLate: boolean;
  readonly deletes: number;
  readonly cancels: number;
  readonly suspends: number;
  readonly retries: number;
  readonly deadlines: number;
  /** Operators lead by the product's own Lease; else they are told. */
  readonly hasLease: boolean;
  /** Wide runs that wait for one queue, as urgent as each of these says; absent: as chance has them. */
  readonly crowd?: readonly (number | undefined)[] | undefined;
  /** Two Workflows whose UIDs begin alike. */
  readonly collides: boolean;
  readonly faultsEndMs: number;
  /** Retries may have a queue of their own; absent: there is no such queue. */
  readonly escalation?: Escalation | undefined;
  /** Workers run in pods of a pool that the operator scales; absent: they are there from the beginning. */
  readonly pool?: PoolSwarm | undefined;
}

export interface SwarmWishes {
  /** Only these kinds of faults are drawn; absent: chance decides. */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** Redis may forget, in part or wholly. */
  readonly forgets?: boolean | undefined;
  /** Every world has a pool; else a share of them has. */
  readonly pools?: boolean | undefined;
}

/** Of the worlds whose workers are ours. */
const shareWithPool = 0.2;

/** Asked at every occasion: how likely at most. */
const occasions: Readonly<Partial<Record<FaultKind, number>>> = {
  RequestLost: 0.1,
  AnswerLost: 0.1,
  Slow: 0.1,
  HintLost: 1,
  HintRepeated: 0.5,
  HintLate: 0.5,
  SubscriberCut: 0.1,
  WatchLag: 0.5,
  WatchCut: 0.1,
  WatchSilent: 0.03,
  WatchExpired: 0.1,
  ApiConflict: 0.3,
  ApiRefuses: 0.5,
  ApiFails: 0.2,
  ApiThrottles: 0.2,
  WorkerDiesBeforeTask: 0.1,
  WorkerDiesBeforeResult: 0.1,
  WorkerDiesBeforeAck: 0.1,
  WorkerHangs: 0.05,
  WorkerSlow: 0.2,
  WorkerThoughtDead: 0.1,
  WorkerReorders: 0.5,
  MessageVanishes: 0.1,
  MessageRepeated: 0.1,
  ResultVanishes: 0.05,
};

/** Planned at moments of their own: how many at most. */
const plans: Readonly<Partial<Record<FaultKind, number>>> = {
  OperatorCrash: 4,
  OperatorPause: 3,
  TwoLeaders: 2,
  SecretTouched: 2,
  SecretGone: 1,
  ClockSkew: 1,
  RedisOutage: 2,
  RedisRestart: 2,
  ApiOutage: 2,
  ApiCompaction: 3,
};

const shareThatForgets = 0.3;

/** Worlds in which several wide runs wait for one queue, and of those the ones in which nothing is broken. */
const shareOfCrowds = 0.015;
const shareOfCalmCrowds = 0.7;

/** Redis forgets. */
const losses: Readonly<Partial<Record<FaultKind, number>>> = { RedisTailLost: 2, RedisFailover: 2, RedisWiped: 1 };

/** Redis answers, and does not do what it is asked. */
const refusals: Readonly<Partial<Record<FaultKind, number>>> = { RedisFull: 2, RedisReadonly: 2, RedisHangs: 2 };
const shareThatRefuses = 0.1;
/** A key of a run is gone, and all others are there. */
const lostKeys: Readonly<Partial<Record<FaultKind, number>>> = { RunLost: 1, ValuesLost: 2, OutboxLost: 1 };
const shareThatLosesKeys = 0.05;
/** Of the worlds whose queue is elsewhere: those in which its Redis is away for minutes, and nothing else goes wrong. */
const shareWithoutBroker = 0.15;

const longOutagesEndMs = 240_000;

/** Draws a world. Each kind of fault is on or off first, so that a seed may be wholly about one of them. */
export function drawSwarm(chance: Chance, { kinds, forgets = false, pools = false }: SwarmWishes): Swarm {
  const isCelery = chance.happens(0.3) && !pools;
  const strengths = drawStrengths(chance, kinds);
  addLosses(strengths, chance, { kinds, forgets });
  // A stream of its own: worlds without a pool are what they would be if there were none at all.
  const ofPool = chance.split('pool');
  const hasPool = pools || (!isCelery && ofPool.happens(shareWithPool));
  const pool = hasPool ? drawPool(ofPool) : undefined;
  if (hasPool) addStrengths(strengths, ofPool, kinds);
  if (kinds === undefined) addRareKinds(strengths, chance);
  const crowded = withCrowd(chance.split('crowd'), {
    strengths,
    pool,
    operators: Number(chance.weighed({ '1': 1, '2': 4, '3': 1 })),
    workers: chance.between(1, 3),
    workflows: Number(chance.weighed({ '1': 5, '2': 2, '3': 1 })),
    size: {
      depth: chance.between(1, 5),
      width: chance.between(1, 4),
      tasks: chance.between(1, 12),
      failing: chance.pick([0, 0.1, 0.3]),
      handlers: chance.pick([0, 0.1, 0.3]),
      named: chance.pick([0, 0.3, 0.6]),
      conditions: chance.pick([0, 0, 0.2]),
      continues: chance.pick([0, 0.2]),
      timers: chance.pick([0, 0, 0.2]),
      escalated: 0,
      bounds: chance.pick([0, 0, 0, 0.2]),
      maps: chance.pick([0, 1, 3]),
      wide: Math.round(sometimes(chance, 0.015) * 100),
    },
    prefetch: chance.between(1, 4),
    ...ofTasks(chance.pick([1, 20, 300, 3_000]), pool),
    latencyMs: chance.pick([0.2, 1, 10]),
    tellsStart: chance.happens(0.3),
    isCelery,
    isElsewhere: chance.happens(0.25),
    showResults: chance.happens(0.5),
    knowsSlots: chance.happens(0.7),
    queueComesLate: chance.happens(0.05),
    deletes: sometimes(chance, 0.15),
    cancels: sometimes(chance, 0.15),
    suspends: sometimes(chance, 0.15),
    retries: sometimes(chance, 0.2),
    deadlines: sometimes(chance, 0.1),
    hasLease: chance.split('lease').happens(0.15),
    collides: false,
    faultsEndMs: chance.pick([2_000, 10_000, 60_000]),
  });
  const drawn = withEscalation(chance.split('escalation'), crowded);
  return kinds === undefined ? perhapsWithoutBroker(chance.split('broker'), drawn) : drawn;
}

/** Each from a stream of its own: worlds without them are what they would be if there were none at all. */
function addRareKinds(strengths: Map<FaultKind, number>, chance: Chance): void {
  if (strengths.size === 0) return;
  addSome(strengths, chance.split('refusals'), { kinds: refusals, share: shareThatRefuses });
  addSome(strengths, chance.split('keys'), { kinds: lostKeys, share: shareThatLosesKeys });
}

function addSome(
  strengths: Map<FaultKind, number>,
  chance: Chance,
  { kinds, share }: { readonly kinds: Readonly<Partial<Record<FaultKind, number>>>; readonly share: number },
): void {
  if (!chance.happens(share)) return;
  for (const [kind, most] of Object.entries(kinds) as [FaultKind, number][]) {
    const count = chance.between(0, most);
    if (count > 0) strengths.set(kind, count);
  }
}

function perhapsWithoutBroker(chance: Chance, drawn: Swarm): Swarm {
  if (!drawn.isElsewhere || drawn.pool !== undefined || !chance.happens(shareWithoutBroker)) return drawn;
  const wishes = { cancels: chance.pick([0, 0.7]), deadlines: chance.pick([0, 0.7]), bounds: chance.pick([0, 0.3]) };
  return withoutBroker(drawn, wishes);
}

/** Runs are to end in time though their broker takes nothing: by the clock, or because somebody asks for it. */
export function withoutBroker(
  drawn: Swarm,
  { bounds, ...wishes }: Pick<Swarm, 'cancels' | 'deadlines'> & Pick<CanvasSize, 'bounds'>,
): Swarm {
  drawn.strengths.clear();
  drawn.strengths.set('BrokerAway', 1);
  const size = { ...drawn.size, bounds: Math.max(drawn.size.bounds, bounds) };
  const calm = { deletes: 0, suspends: 0, pool: undefined, faultsEndMs: longOutagesEndMs };
  return { ...drawn, ...calm, ...wishes, size, isElsewhere: true };
}

/** In a few worlds several runs want more of one queue than it may hold. */
function withCrowd(chance: Chance, drawn: Swarm): Swarm {
  if (!chance.happens(shareOfCrowds)) return drawn;
  if (chance.happens(shareOfCalmCrowds)) drawn.strengths.clear();
  const crowd = Array.from({ length: chance.between(2, 3) }, () =>
    chance.happens(0.3) ? undefined : chance.pick([9, 5, 5]),
  );
  const taskMs = chance.pick([1, 20, 300]);
  return {
    ...drawn,
    crowd,
    workflows: crowd.length,
    taskMs,
    size: { ...drawn.size, wide: 40 + chance.between(0, 40) },
  };
}

function drawStrengths(chance: Chance, kinds: readonly FaultKind[] | undefined): Map<FaultKind, number> {
  const isCalm = chance.happens(0.1);
  const share = chance.next() * 0.5;
  const strengths = new Map<FaultKind, number>();
  for (const [kind, most] of Object.entries({ ...occasions, ...plans }) as [FaultKind, number][]) {
    const isDrawn = !isCalm && chance.happens(share);
    const strength = kind in plans ? chance.between(1, most) : most * chance.next();
    const isOn = kinds?.includes(kind) ?? isDrawn;
    if (isOn) strengths.set(kind, strength);
  }
  return strengths;
}

/** In a share of the worlds in which anything goes wrong Redis forgets; in all, where that is asked for. */
function addLosses(strengths: Map<FaultKind, number>, chance: Chance, { kinds, forgets }: SwarmWishes): void {
  const ofLoss = chance.split('loss');
  const isDrawn = kinds === undefined && strengths.size > 0 && ofLoss.happens(shareThatForgets);
  if (!isDrawn && forgets !== true) return;
  for (const [kind, most] of Object.entries(losses) as [FaultKind, number][]) {
    const count = ofLoss.between(0, most);
    if (count > 0) strengths.set(kind, count);
  }
}

function addStrengths(
  strengths: Map<FaultKind, number>,
  chance: Chance,
  kinds: readonly FaultKind[] | undefined,
): void {
  const share = strengths.size === 0 ? 0 : chance.next() * 0.5;
  for (const [kind, most] of Object.entries(poolOccasions) as [FaultKind, number][]) {
    const isDrawn = chance.happens(share);
    const strength = most * chance.next();
    if (kinds?.includes(kind) ?? isDrawn) strengths.set(kind, strength);
  }
}

function ofTasks(taskMs: number, pool: PoolSwarm | undefined): Pick<Swarm, 'taskMs'> {
  return { taskMs: pool?.taskMs ?? taskMs };
}

/** Off in most worlds, and of any strength in the others. */
function sometimes(chance: Chance, share: number): number {
  return chance.happens(share) ? chance.next() : 0;
}
