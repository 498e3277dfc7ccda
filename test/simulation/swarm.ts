import type { Chance } from './kernel/chance.ts';
import type { FaultKind } from './kernel/faults.ts';
import type { CanvasSize } from './canvas/random-canvas.ts';

/** What one seed's world is like: which faults there are and how strong, and limits that are absurdly small. */
export interface Swarm {
  readonly strengths: ReadonlyMap<FaultKind, number>;
  readonly operators: number;
  readonly workers: number;
  readonly workflows: number;
  readonly size: CanvasSize;
  readonly prefetch: number;
  readonly taskMs: number;
  readonly latencyMs: number;
  readonly tellsStart: boolean;
  /** Workers are unmodified Celery's: errbacks travel in carriers, and absence proves nothing. */
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
  /** Two Workflows whose UIDs begin alike. */
  readonly collides: boolean;
  readonly faultsEndMs: number;
}

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
  ClockSkew: 1,
  RedisOutage: 2,
  RedisRestart: 2,
  ApiOutage: 2,
  ApiCompaction: 3,
};

/** Redis forgets: drawn only where that is asked for. */
const losses: Readonly<Partial<Record<FaultKind, number>>> = { RedisTailLost: 2, RedisFailover: 2, RedisWiped: 1 };

/** Of a lost message or result only watched queues can tell. */
const onlyWatched: readonly FaultKind[] = ['MessageVanishes', 'ResultVanishes'];

/** Draws a world. Each kind of fault is on or off first, so that a seed may be wholly about one of them. */
export function drawSwarm(chance: Chance, kinds: readonly FaultKind[] | undefined, forgets = false): Swarm {
  const isCelery = chance.happens(0.3);
  const strengths = drawStrengths(chance, kinds, isCelery);
  if (forgets)
    for (const [kind, most] of Object.entries(losses) as [FaultKind, number][])
      strengths.set(kind, chance.between(0, most));
  return {
    strengths,
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
      maps: chance.pick([0, 1, 3]),
    },
    prefetch: chance.between(1, 4),
    taskMs: chance.pick([1, 20, 300, 3_000]),
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
    collides: false,
    faultsEndMs: chance.pick([2_000, 10_000, 60_000]),
  };
}

function drawStrengths(
  chance: Chance,
  kinds: readonly FaultKind[] | undefined,
  isCelery: boolean,
): Map<FaultKind, number> {
  const isCalm = chance.happens(0.1);
  const share = chance.next() * 0.5;
  const strengths = new Map<FaultKind, number>();
  for (const [kind, most] of Object.entries({ ...occasions, ...plans }) as [FaultKind, number][]) {
    const isDrawn = !isCalm && chance.happens(share);
    const strength = kind in plans ? chance.between(1, most) : most * chance.next();
    const isOn = kinds?.includes(kind) ?? isDrawn;
    if (isOn && !(isCelery && onlyWatched.includes(kind))) strengths.set(kind, strength);
  }
  return strengths;
}

/** Off in most worlds, and of any strength in the others. */
function sometimes(chance: Chance, share: number): number {
  return chance.happens(share) ? chance.next() : 0;
}
