import { decodeTaskId } from '#core/base/task-id.ts';
import { messageIdOf } from '#core/workflow/message.ts';
import { isInFlight, readSlot } from '#core/workflow/slots.ts';
import { slotIndexOf } from '#core/workflow/unfolded.ts';
import { isHeld } from './held-run.ts';
import type { LiveRun } from './live-run.ts';
import type { Letter } from './outbox.ts';

/**
 * What is to become of a message in the outbox, by the slot that it was made for. `Keep`: not now. `Drop`: its broker has
 * it, or nobody waits for it any more and nobody tried to send it. `TakeBack`: the same, and it may have been sent.
 */
export type LetterFate = 'Send' | 'Keep' | 'Drop' | 'TakeBack';

export function fateOf(letter: Letter, run: LiveRun): LetterFate {
  if (letter.progress === 'Sent') return 'Drop';
  const slot = slotOf(letter, run);
  if (slot === undefined) return strayFate(letter, run);
  // A worker told of it: whoever sent it could not note that.
  if (slot.state !== 'Published') return 'Drop';
  // After a cancel nothing but clean-up is sent, as the deciding script has it.
  const isCalledOff = slot.step.role === 'Member' && run.view.state.cancelled !== '';
  return letter.isWithheld || isCalledOff || isHeld(run) ? 'Keep' : 'Send';
}

/** Its slot stands for another attempt by now, or has ended, once the store has acknowledged that. */
function strayFate({ progress }: Letter, { isAhead }: LiveRun): LetterFate {
  if (isAhead) return 'Keep';
  return progress === 'Waiting' ? 'Drop' : 'TakeBack';
}

/** The state of the slot that waits for this very message, and of which step it is. */
function slotOf({ id }: Letter, { identity, view: { plan, state } }: LiveRun) {
  const fields = decodeTaskId(id);
  const step = plan.steps[fields?.step ?? -1];
  if (fields === undefined || step?.kind !== 'Task' || fields.round !== identity.round) return undefined;
  const slot = readSlot(state.slots, slotIndexOf(state.maps, fields));
  if (!isInFlight(slot.state) || messageIdOf(identity, fields, slot) !== id) return undefined;
  return { step, state: slot.state };
}
