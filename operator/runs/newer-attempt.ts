import type { Observation } from '#core/workflow/observation.ts';
import { succeeds } from '#core/workflow/record.ts';
import { messageIdOf } from '#core/workflow/message.ts';
import { isInFlight, readSlot } from '#core/workflow/slots.ts';
import { slotIndexOf } from '#core/workflow/unfolded.ts';
import type { DrivenRun } from './driven-run.ts';
import type { Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';
import { stopAll } from './withdraw.ts';

/**
 * The success of an older attempt counts, so the newer one is not needed any more: it is taken back from its queue, or
 * asked to stop. Best effort; what it answers all the same changes nothing.
 */
export async function endNewerAttempt(
  driver: DrivenRun,
  seen: Observation,
  ports: Pick<RunPorts, 'broker' | 'log'>,
): Promise<void> {
  const newer = succeeds(seen) ? newerAttempt(driver, seen) : undefined;
  // What lies in the outbox stays there for good once the success is recorded.
  if (newer !== undefined && !driver.run.outbox.holds(newer.messageId)) await stopAll([newer], ports);
}

/** In flight while this one succeeded; an id may come from a stranger, so there may be no such member. */
function newerAttempt(driver: DrivenRun, { step, member, attempt }: Observation): Outstanding | undefined {
  const { identity, view } = driver.run;
  const { slots, maps } = view.state;
  const planned = view.plan.steps[step];
  if (planned === undefined || (planned.map === -1 ? member > 0 : member >= (maps.get(planned.map)?.count ?? 0)))
    return;
  const at = slotIndexOf(maps, { step, member });
  const slot = readSlot(slots, at);
  if (!isInFlight(slot.state) || slot.attempt <= attempt) return undefined;
  const place = { step, member, attempt: slot.attempt };
  const messageId = messageIdOf(identity, place, slot);
  return { driver, role: planned.role, slot: at, ...place, id: messageId, messageId };
}
