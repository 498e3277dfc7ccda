import type { Plan } from '#core/canvas/plan.ts';
import type { AttemptReport, Observation } from '#core/workflow/observation.ts';
import { readSlot, type Slots } from '#core/workflow/slots.ts';

/** What running tasks of a run said of themselves last; of tasks that run once, for of no others it is shown. */
export class RunReports {
  readonly #plan: Plan;
  readonly #bySlot = new Map<number, AttemptReport>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get bySlot(): ReadonlyMap<number, AttemptReport> {
    return this.#bySlot;
  }

  /** What an attempt says that is not the newest any more is of no interest. */
  note(seen: readonly Observation[], slots: Slots): void {
    for (const each of seen) {
      if (each.seen !== 'Reported' || each.member !== 0 || this.#plan.steps[each.step]?.kind !== 'Task') continue;
      const { attempt } = readSlot(slots, each.step);
      if (each.attempt === attempt) this.#bySlot.set(each.step, { ...each.report, attempt });
    }
  }

  /** A further round begins: its attempts are counted from 0 again. */
  clear(): void {
    this.#bySlot.clear();
  }
}
