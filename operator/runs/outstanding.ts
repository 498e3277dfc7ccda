import { forEachTaskSlot } from '#core/workflow/layout.ts';
import { messageIdOf, taskIdOf } from '#core/workflow/message.ts';
import { isInFlight, readSlot, slotStateAt, ticksAt } from '#core/workflow/slots.ts';
import type { StepRole } from '#core/canvas/plan.ts';
import type { DrivenRun } from './driven-run.ts';

/** One message that was sent and of which no end is known. */
export interface Outstanding {
  readonly driver: DrivenRun;
  readonly role: StepRole;
  readonly slot: number;
  readonly step: number;
  readonly member: number;
  readonly attempt: number;
  /** Under which its result would stand. */
  readonly id: string;
  /** Under which its message is in the queue. */
  readonly messageId: string;
}

/** What a run has in flight since this tick or longer; absent: all of it. */
export function outstandingOf(driver: DrivenRun, sinceTicks = Infinity): readonly Outstanding[] {
  const found: Outstanding[] = [];
  const { identity, view } = driver.run;
  const { slots, maps } = view.state;
  forEachTaskSlot(view.plan, maps, ({ index: step, role }, member, at) => {
    if (!isInFlight(slotStateAt(slots, at)) || ticksAt(slots, at) > sinceTicks) return;
    const slot = readSlot(slots, at);
    const { attempt } = slot;
    const id = taskIdOf(identity, { step, member, attempt });
    const messageId = messageIdOf(identity, { step, member }, slot);
    found.push({ driver, role, slot: at, step, member, attempt, id, messageId });
  });
  return found;
}

/** The same by the queue in which each was sent; those without a route today are left out. */
export function byQueue(outstanding: readonly Outstanding[]): ReadonlyMap<string, readonly Outstanding[]> {
  const queues = new Map<string, Outstanding[]>();
  for (const each of outstanding) {
    const queue = each.driver.run.queueOf(each.slot);
    if (queue === undefined) continue;
    const sent = queues.get(queue) ?? [];
    sent.push(each);
    queues.set(queue, sent);
  }
  return queues;
}
