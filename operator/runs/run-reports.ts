import type { Plan } from '#core/canvas/plan.ts';
import type { AttemptReport, LastErrors, Observation } from '#core/workflow/observation.ts';
import { shownErrorText } from '#core/workflow/shown-error.ts';
import { readSlot, type Slots } from '#core/workflow/slots.ts';

/**
 * What running tasks of a run said of themselves last, and how attempts ended; of tasks that run once, for of no others it is
 * shown.
 */
export class RunReports {
  readonly #plan: Plan;
  readonly #bySlot = new Map<number, AttemptReport>();
  readonly #lastErrors = new Map<number, { readonly attempt: number; readonly text: string }>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get bySlot(): ReadonlyMap<number, AttemptReport> {
    return this.#bySlot;
  }

  get lastErrors(): LastErrors {
    return this.#lastErrors;
  }

  /** What an attempt says that is not the newest any more is of no interest. */
  note(seen: readonly Observation[], slots: Slots): void {
    for (const each of seen) {
      if (each.member !== 0 || this.#plan.steps[each.step]?.kind !== 'Task') continue;
      const { attempt } = readSlot(slots, each.step);
      if (each.attempt !== attempt) continue;
      if (each.seen === 'Reported') this.#bySlot.set(each.step, { ...each.report, attempt });
      if ('failure' in each) this.#lastErrors.set(each.step, { attempt, text: shownErrorText(each.failure) });
    }
  }

  /** A further round begins: its attempts are counted from 0 again. */
  clear(): void {
    this.#bySlot.clear();
    this.#lastErrors.clear();
  }
}
