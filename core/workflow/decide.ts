import type { Plan } from '#core/canvas/plan.ts';
import { evaluate, type Evaluation } from './evaluate.ts';
import type { Observation } from './observation.ts';
import { recordOf, type Recorded } from './record.ts';
import { encodeSlot, slotBytes, type Slots } from './slots.ts';

export interface Decision {
  /** With what was recorded. */
  readonly slots: Slots;
  /** What is new, to be written together with what follows from it; one record a step, the latest. */
  readonly records: readonly Recorded[];
  /** What follows: `evaluation.due` is what to publish. */
  readonly evaluation: Evaluation;
}

/**
 * One step of a run's life: what was seen, folded into what is known, and what follows. Level-triggered: `due` comes
 * from the state alone, so whatever a crash kept from being published is due again.
 */
export function decide(
  plan: Plan,
  state: { readonly slots: Slots; readonly cancelled: boolean },
  seen: readonly Observation[],
  nowSeconds: number,
): Decision {
  const slots = new Uint8Array(plan.steps.length * slotBytes);
  slots.set(state.slots);
  const records = new Map<number, Recorded>();
  for (const observation of seen) {
    const record = recordOf(plan, slots, observation, nowSeconds);
    if (record === undefined) continue;
    slots.set(encodeSlot(record.slot), record.step * slotBytes);
    records.set(record.step, record);
  }
  return { slots, records: [...records.values()], evaluation: evaluate(plan, slots, state.cancelled) };
}
