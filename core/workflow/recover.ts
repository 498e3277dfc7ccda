import type { Plan } from '#core/canvas/plan.ts';
import type { StoredRun } from './advance.ts';
import { forEachTaskSlot } from './layout.ts';
import { isInFlight, slotBytes, slotStateAt } from './slots.ts';

/** A run as it goes on after its Redis lost data of it, in a further round. */
export interface RecoveredRun {
  readonly run: StoredRun;
  /** Tasks that were in flight: nobody knows where their messages are, so they are sent again. */
  readonly sentAgain: number;
}

/** Goes on from what an operator remembers as acknowledged: what ended stands, what was in flight is sent anew. */
export function recoveredRun(plan: Plan, remembered: StoredRun, nowTicks: number): RecoveredRun {
  const { head } = remembered;
  const slots = remembered.slots.slice();
  let sentAgain = 0;
  forEachTaskSlot(plan, remembered.maps, (_step, _member, at) => {
    if (!isInFlight(slotStateAt(slots, at))) return;
    sentAgain += 1;
    slots.fill(0, at * slotBytes, (at + 1) * slotBytes);
  });
  const next = { ...head, rev: head.rev + 1, round: head.round + 1, roundsAt: [...head.roundsAt, nowTicks] };
  return { run: { ...remembered, head: next, slots, outbox: [] }, sentAgain };
}
