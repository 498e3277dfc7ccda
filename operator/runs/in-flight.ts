import type { Plan } from '#core/canvas/plan.ts';
import type { Decision } from '#core/workflow/decide.ts';
import { forEachTaskSlot } from '#core/workflow/layout.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import { isInFlight, slotStateAt } from '#core/workflow/slots.ts';
import type { DueAttempt, Wishes } from './wishes.ts';
import type { Window } from './window.ts';

type QueueOf = (slot: number) => string | undefined;

/** One run's part in the window: what it has in flight, and what of its wishes it may publish. */
export class InFlight {
  readonly #uid: string;
  readonly #window: Window;

  constructor(uid: string, window: Window) {
    this.#uid = uid;
    this.#window = window;
  }

  /** Says anew what is in flight, of a run that was taken over or read again. */
  count(plan: Plan, { slots, maps }: RunState, queueOf: QueueOf): void {
    const counts = new Map<string, number>();
    forEachTaskSlot(plan, maps, (_step, _member, at) => {
      const queue = isInFlight(slotStateAt(slots, at)) ? queueOf(at) : undefined;
      if (queue !== undefined) counts.set(queue, (counts.get(queue) ?? 0) + 1);
    });
    this.#window.inFlight(this.#uid, counts);
  }

  /** What was decided took these from what is in flight. */
  landed({ landed, unanswered }: Pick<Decision, 'landed' | 'unanswered'>, queueOf: QueueOf): void {
    const ended = new Map<string, number>();
    const gone = new Map<string, number>();
    for (const at of landed) {
      const queue = queueOf(at);
      const counts = unanswered.has(at) ? gone : ended;
      if (queue !== undefined) counts.set(queue, (counts.get(queue) ?? 0) + 1);
    }
    for (const [queue, count] of ended) this.#window.ended(this.#uid, queue, count);
    for (const [queue, count] of gone) this.#window.gone(this.#uid, queue, count);
  }

  /** Those of the wishes that there is room for now, at most `most`. */
  granted({ counts, attempts }: Wishes, most: number): readonly DueAttempt[] {
    this.#window.want(this.#uid, counts);
    const granted: DueAttempt[] = [];
    const places = new Map<string, number>();
    for (const attempt of attempts) {
      if (granted.length >= most) break;
      const { route, priority } = attempt;
      const key = `${priority}/${route.queue}`;
      const left = places.get(key) ?? this.#grant(route.queue, priority, { attempts, most: most - granted.length });
      if (left > 0) granted.push(attempt);
      places.set(key, Math.max(0, left - 1));
    }
    this.#giveBack(places);
    return granted;
  }

  /** Granted, and then not published after all. */
  giveBack(attempts: Iterable<DueAttempt>): void {
    for (const { route } of attempts) this.#window.giveBack(this.#uid, route.queue, 1);
  }

  drop(): void {
    this.#window.drop(this.#uid);
  }

  #grant(
    queue: string,
    priority: number,
    { attempts, most }: { readonly attempts: readonly DueAttempt[]; readonly most: number },
  ): number {
    const named = attempts.filter((each) => each.route.queue === queue && each.priority === priority).length;
    return this.#window.grant(this.#uid, queue, priority, Math.min(named, most));
  }

  #giveBack(places: ReadonlyMap<string, number>): void {
    for (const [key, left] of places) {
      if (left > 0) this.#window.giveBack(this.#uid, key.slice(key.indexOf('/') + 1), left);
    }
  }
}
