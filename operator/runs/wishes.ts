import { alikeOf } from '#core/canvas/alike.ts';
import { stepAt, type TaskStep } from '#core/canvas/plan.ts';
import { dueWay, stepOfWay } from '#core/workflow/due-way.ts';
import type { RunView } from '#core/workflow/run-view.ts';
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
  /** Slots of handlers that have no route and were not due before: how long they wait is bounded. */
  readonly stranded: readonly number[];
}

export interface WishesContext {
  readonly routes: RoutesOfTurn;
  readonly suspended: boolean;
  readonly maxParallel?: number | undefined;
}

/** What is due and may be published, were there room for all of it. */
export function wishesOf(view: RunView, { routes, suspended, maxParallel }: WishesContext): Wishes {
  const list = new WishList(maxParallel === undefined ? Infinity : maxParallel - membersInFlight(view));
  if (!suspended) {
    for (const at of view.evaluation.due) addNamed(list, view, { at, routes });
    for (const [way, count] of view.evaluation.dueCounts) addUnnamed(list, view, { way, count, routes });
  }
  list.attempts.sort((a, b) => b.priority - a.priority);
  const { counts, attempts, blocked, stranded } = list;
  return { counts, attempts, stranded, ...(blocked === undefined ? {} : { blocked }) };
}

/** Wishes as they are gathered, no more of the canvas than there are places for. */
class WishList {
  readonly counts = new Map<string, Map<number, number>>();
  readonly attempts: DueAttempt[] = [];
  readonly named = new Map<number, number>();
  readonly stranded: number[] = [];
  blocked: Blocked | undefined;
  #places: number;

  constructor(places: number) {
    this.#places = Math.max(0, places);
  }

  /** So many of the given may be wished for; handlers always may. */
  take({ role }: TaskStep, count: number): number {
    if (role !== 'Member') return count;
    const taken = Math.min(count, this.#places);
    this.#places -= taken;
    return taken;
  }

  add(queue: string, priority: number, count: number): void {
    const ofQueue = this.counts.get(queue) ?? new Map<number, number>();
    this.counts.set(queue, ofQueue.set(priority, (ofQueue.get(priority) ?? 0) + count));
  }
}

function addNamed(
  list: WishList,
  view: RunView,
  { at, routes }: { readonly at: number; readonly routes: RoutesOfTurn },
): void {
  const { state } = view;
  const place = placeOfSlot(state.maps, at);
  const step = taskAt(view, place.step);
  const slot = readSlot(state.slots, at);
  const route = routes.find(step, slot);
  const way = dueWay(alikeOf(view.plan), step, state.slots, at);
  list.named.set(way, (list.named.get(way) ?? 0) + 1);
  if (!isRoute(route)) {
    list.blocked ??= { step: step.index, ...route };
    if (step.role !== 'Member' && slot.state === 'Waiting') list.stranded.push(at);
    return;
  }
  if (list.take(step, 1) === 0) return;
  const priority = step.priority ?? usualPriority;
  list.attempts.push({ at, step, member: place.member, route, priority });
  list.add(route.queue, priority, 1);
}

/** Those that go one way and are due beyond the ones that the evaluation names. */
function addUnnamed(
  list: WishList,
  view: RunView,
  { way, count, routes }: { readonly way: number; readonly count: number; readonly routes: RoutesOfTurn },
): void {
  const { step: index, escalated } = stepOfWay(alikeOf(view.plan), way);
  const step = taskAt(view, index);
  const unnamed = count - (list.named.get(way) ?? 0);
  const route = unnamed > 0 ? routes.find(step, { attempt: escalated ? 1 : 0, lost: 0 }) : undefined;
  if (route === undefined || !isRoute(route)) return;
  const taken = list.take(step, unnamed);
  if (taken > 0) list.add(route.queue, step.priority ?? usualPriority, taken);
}

function taskAt({ plan }: RunView, index: number): TaskStep {
  const step = stepAt(plan, index);
  if (step.kind !== 'Task') throw new RangeError(`step ${index} is due and is no task`);
  return step;
}

function membersInFlight({ plan, state }: RunView): number {
  let count = 0;
  forEachTaskSlot(plan, state.maps, (step, _member, at) => {
    if (step.role === 'Member' && isInFlight(slotStateAt(state.slots, at))) count += 1;
  });
  return count;
}
