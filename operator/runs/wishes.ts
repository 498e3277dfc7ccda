import { stepAt, type TaskStep } from '#core/canvas/plan.ts';
import type { RunView } from '#core/workflow/call.ts';
import { forEachTaskSlot } from '#core/workflow/layout.ts';
import { isInFlight, readSlot, slotStateAt } from '#core/workflow/slots.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';
import { isRoute, type NoRoute, type Route, type RoutesOfTurn } from './route.ts';
import { usualPriority } from './window.ts';

/** A due step that waits, and why. */
export interface Blocked extends NoRoute {
  readonly step: number;
}

/** One due attempt that has a route. */
export interface DueAttempt {
  readonly at: number;
  readonly step: TaskStep;
  readonly member: number;
  readonly route: Route;
  readonly priority: number;
}

/** What a run wants to publish now. */
export interface Wishes {
  /** How many are due, by queue on the wire and priority: also those that are not named below. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** The most urgent first, then in the order of the canvas. */
  readonly attempts: readonly DueAttempt[];
  readonly blocked?: Blocked;
}

export interface WishesContext {
  readonly routes: RoutesOfTurn;
  readonly suspended: boolean;
  readonly maxParallel?: number | undefined;
}

/** What is due and may be published, were there room for all of it. */
export function wishesOf(view: RunView, { routes, suspended, maxParallel }: WishesContext): Wishes {
  if (suspended) return { counts: new Map(), attempts: [] };
  const { plan, state, evaluation } = view;
  const counts = new Map<string, Map<number, number>>();
  const attempts: DueAttempt[] = [];
  const named = new Map<number, number>();
  let blocked: Blocked | undefined;
  let places = maxParallel === undefined ? Infinity : maxParallel - membersInFlight(view);
  for (const at of evaluation.due) {
    const place = placeOfSlot(state.maps, at);
    const step = taskAt(view, place.step);
    const route = routes.find(step, readSlot(state.slots, at));
    named.set(step.index, (named.get(step.index) ?? 0) + 1);
    if (!isRoute(route)) {
      blocked ??= { step: step.index, ...route };
      continue;
    }
    if (step.role === 'Member' && (places -= 1) < 0) continue;
    const priority = step.priority ?? usualPriority;
    attempts.push({ at, step, member: place.member, route, priority });
    add(counts, route.queue, { priority, count: 1 });
  }
  for (const [index, count] of evaluation.dueCounts) {
    const step = stepAt(plan, index) as TaskStep;
    const route = routes.find(step, { attempt: 0, lost: 0 });
    const more = Math.min(count - (named.get(index) ?? 0), step.role === 'Member' ? Math.max(0, places) : Infinity);
    if (more <= 0 || !isRoute(route)) continue;
    if (step.role === 'Member') places -= more;
    add(counts, route.queue, { priority: step.priority ?? usualPriority, count: more });
  }
  attempts.sort((a, b) => b.priority - a.priority);
  return { counts, attempts, ...(blocked === undefined ? {} : { blocked }) };
}

function taskAt({ plan }: RunView, index: number): TaskStep {
  const step = stepAt(plan, index);
  if (step.kind !== 'Task') throw new RangeError(`step ${index} is due and is no task`);
  return step;
}

function add(
  counts: Map<string, Map<number, number>>,
  queue: string,
  { priority, count }: { readonly priority: number; readonly count: number },
): void {
  const ofQueue = counts.get(queue) ?? new Map<number, number>();
  counts.set(queue, ofQueue.set(priority, (ofQueue.get(priority) ?? 0) + count));
}

function membersInFlight({ plan, state }: RunView): number {
  let count = 0;
  forEachTaskSlot(plan, state.maps, (step, _member, at) => {
    if (step.role === 'Member' && isInFlight(slotStateAt(state.slots, at))) count += 1;
  });
  return count;
}
