import type { CanvasSize } from './canvas/random-canvas.ts';
import type { Chance } from './kernel/chance.ts';

/** What the queue for retries is like; times are in milliseconds. */
export interface Escalation {
  /** Workers of its own, each with one slot. */
  readonly workers: number;
  /** So many times as long as usual a task takes there. */
  readonly slowness: number;
  /** Until then its workers take nothing; virtual time. */
  readonly pausedUntilMs: number;
  /** When its TaskQueue appears; virtual time. */
  readonly comesAtMs: number;
}

/** What is drawn before it is known whether retries have a queue of their own. */
interface Drawn {
  readonly size: CanvasSize;
  readonly pool?: object | undefined;
}

type Escalating<World extends Drawn> = World & { readonly escalation?: Escalation };

/** Of the worlds without a pool. */
const share = 0.05;
/** Of these, the ones with more retries than the queue may hold. */
const shareOfWide = 0.1;

/** In some worlds retries may name a queue of their own, that is small, slow, late or paused. */
export function withEscalation<World extends Drawn>(chance: Chance, drawn: World): Escalating<World> {
  return drawn.pool === undefined && chance.happens(share) ? escalating(chance, drawn) : drawn;
}

/** The same world with a queue for retries. */
export function escalating<World extends Drawn>(chance: Chance, drawn: World): Escalating<World> {
  const escalation = {
    workers: chance.between(1, 2),
    slowness: chance.pick([1, 1, 4]),
    pausedUntilMs: chance.pick([0, 0, 300, 4_000, 30_000]),
    comesAtMs: chance.pick([0, 0, 0, 0, 3_000]),
  };
  const { size } = drawn;
  const isWide = chance.happens(shareOfWide);
  const more: Partial<CanvasSize> = {
    tasks: Math.max(size.tasks, 4),
    timers: Math.max(size.timers, 0.7),
    failing: Math.max(size.failing, chance.pick([0.3, 0.6])),
    escalated: chance.pick([0.3, 0.7, 1]),
    wide: isWide && size.wide === 0 ? chance.between(20, 60) : size.wide,
  };
  return { ...drawn, escalation, size: { ...size, ...more } };
}
