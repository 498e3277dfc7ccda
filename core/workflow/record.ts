import type { JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { isLongerThan, utf8Length } from '#core/base/utf8-length.ts';
import type { Plan, PlanStep } from '#core/canvas/plan.ts';
import { encodeFailure, engineFailure, readError, type Failure } from './failure.ts';
import type { Observation } from './observation.ts';
import { hasEnded, readSlot, type Slot, type Slots, type SlotState } from './slots.ts';

/** A change of one slot, and the text that is kept with it. */
export interface Recorded {
  readonly step: number;
  readonly slot: Slot;
  readonly keep?: JsonText;
}

/**
 * What one observation changes; undefined when it changes nothing. An outcome stands as first recorded. Success of any
 * attempt is believed, whatever the step was thought to be doing; failure counts only from the newest attempt.
 */
export function recordOf(plan: Plan, slots: Slots, seen: Observation, nowSeconds: number): Recorded | undefined {
  const step = plan.steps[seen.step];
  if (step?.kind !== 'Task') return undefined;
  const slot = readSlot(slots, seen.step);
  if (hasEnded(slot.state)) return undefined;
  if (seen.seen !== 'Succeeded' && seen.attempt !== slot.attempt) return undefined;
  const outcome = outcomeOf(step, slot, seen);
  if (outcome === undefined) return undefined;
  const { state, keep, lost = slot.lost, attempt = slot.attempt } = outcome;
  const next: Slot = { state, lost, attempt, carried: slot.carried, atSeconds: nowSeconds };
  return { step: seen.step, slot: next, ...(keep === undefined ? {} : { keep }) };
}

interface Outcome {
  readonly state: SlotState;
  readonly keep?: JsonText;
  readonly lost?: number;
  readonly attempt?: number;
}

function outcomeOf(step: PlanStep, slot: Slot, seen: Observation): Outcome | undefined {
  switch (seen.seen) {
    case 'Started':
      return slot.state === 'Running' ? undefined : { state: 'Running' };
    case 'Retrying':
      return slot.state === 'Retrying' ? undefined : { state: 'Retrying' };
    case 'Succeeded':
      return succeeded(step, seen.result);
    case 'Failed':
      return failedOrCarried(slot, seen.failure);
    case 'Revoked':
      return failed('Cancelled', seen.failure);
    case 'Lost':
      return lostOnce(slot, seen.failure);
  }
}

function succeeded(step: PlanStep, result: JsonText): Outcome {
  if (isLongerThan(result, limits.resultBytes)) {
    const size = `the result is ${utf8Length(result)} bytes, more than the ${limits.resultBytes} that a run keeps; `;
    const wayOut = 'store it elsewhere and return a reference to it';
    return failed('Failed', engineFailure('ResultTooLarge', `${step.path}: ${size}${wayOut}`));
  }
  return step.valueWanted ? { state: 'Succeeded', keep: result } : { state: 'Succeeded' };
}

function failed(state: 'Failed' | 'Cancelled' | 'Lost', failure: Failure): Outcome {
  return { state, keep: encodeFailure(failure) };
}

/** Celery stores ChordError under a carried errback's id once the errback was called (celery/app/builtins.py, 5.7.0). */
function failedOrCarried(slot: Slot, failure: Failure): Outcome {
  const wasCalled = slot.carried && readError(failure.exc).type === 'ChordError';
  return wasCalled ? { state: 'Succeeded' } : failed('Failed', failure);
}

/** A lost attempt makes the step due again, as a new attempt with a new id, until its bound is reached. */
function lostOnce(slot: Slot, failure: Failure): Outcome {
  if (slot.lost >= limits.lostAttempts) return failed('Lost', failure);
  return { state: 'Waiting', lost: slot.lost + 1, attempt: slot.attempt + 1 };
}
