import { backoffMs } from '#core/base/backoff.ts';
import { chanceOf } from '#core/base/chance.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { wayToRaise, type PayloadLimits } from '#core/base/payload-limits.ts';
import { isLongerThan, utf8Length } from '#core/base/utf8-length.ts';
import type { RetryPolicy } from '#core/canvas/element.ts';
import type { Plan, TaskStep } from '#core/canvas/plan.ts';
import type { Recorded } from './advance.ts';
import { encodeFailure, engineFailure, isOfEngine, readError, type Failure } from './failure.ts';
import { slotOf } from './layout.ts';
import type { Observation } from './observation.ts';
import type { RunState } from './run-state.ts';
import { runsOnce } from './runs-once.ts';
import { hasEnded, isInFlight, maxTicks, readSlot, tickMs, type Slot, type SlotState } from './slots.ts';

export interface RecordContext {
  readonly nowTicks: number;
  /** Of the run: waits are spread by it. */
  readonly run48: string;
  readonly payloadLimits: Pick<PayloadLimits, 'resultBytes'>;
}

/**
 * What one observation changes; undefined when it changes nothing. An outcome stands as first recorded. Success of any
 * attempt is believed, whatever the step was thought to be doing; failure counts only from the newest attempt.
 */
export function recordOf(
  plan: Plan,
  state: Pick<RunState, 'slots' | 'maps' | 'cancelled'>,
  seen: Observation,
  context: RecordContext,
): Recorded | undefined {
  const step = plan.steps[seen.step];
  if (step?.kind !== 'Task' || !isMember(step, state, seen.member)) return undefined;
  const at = slotOf(plan, state.maps, seen.step, seen.member);
  const slot = readSlot(state.slots, at);
  const mayTryAgain = state.cancelled === '' || step.role !== 'Member';
  // What was not on its way when the run was cancelled is cancelled: an older attempt changes nothing of that.
  if (!counts(slot, seen) || !(mayTryAgain || isInFlight(slot.state))) return undefined;
  const outcome = outcomeOf({ step, slot, at, mayTryAgain }, seen, context);
  if (outcome === undefined) return undefined;
  const { keep, ...changes } = outcome;
  const next: Slot = { ...slot, atTicks: context.nowTicks, ...changes };
  return { at, slot: next, ...(keep === undefined ? {} : { keep }) };
}

function counts(slot: Slot, seen: Observation): boolean {
  return !hasEnded(slot.state) && (succeeds(seen) || seen.attempt === slot.attempt);
}

/** Whatever the result weighs, the task is done with. */
export function succeeds({ seen }: Observation): boolean {
  return seen === 'Succeeded' || seen === 'TooLarge';
}

/** Whether there is such a member: an id may come from a stranger. */
function isMember({ map }: TaskStep, { maps }: Pick<RunState, 'maps'>, member: number): boolean {
  if (map === -1) return member === 0;
  return member < (maps.get(map)?.count ?? 0);
}

interface Attempt {
  readonly step: TaskStep;
  readonly slot: Slot;
  readonly at: number;
  /** Not after a cancel. */
  readonly mayTryAgain: boolean;
}

type Outcome = Partial<Omit<Slot, 'state'>> & { readonly state: SlotState; readonly keep?: JsonText };

function outcomeOf(attempt: Attempt, seen: Observation, context: RecordContext): Outcome | undefined {
  const { step, slot } = attempt;
  switch (seen.seen) {
    case 'Reported':
      return slot.state === 'Published' ? { state: 'Running' } : undefined;
    case 'Started':
      // Each run tells it once: whoever has its message anew has all of its timeLimit.
      return { state: 'Running' };
    case 'Retrying':
      return retrying(slot);
    case 'Succeeded':
      return succeeded(step, seen.result, context.payloadLimits);
    case 'TooLarge':
      return tooLarge(step, seen.bytes, context.payloadLimits);
    case 'Failed':
      return failedOrCarried(attempt, seen.failure, context);
    case 'Revoked':
      return revoked(attempt, seen.failure);
    case 'Lost':
      return lostOnce(attempt, seen.failure);
  }
}

function retrying({ state }: Slot): Outcome | undefined {
  return state === 'Retrying' ? undefined : { state: 'Retrying' };
}

function succeeded(step: TaskStep, result: JsonText, payloadLimits: RecordContext['payloadLimits']): Outcome {
  if (isLongerThan(result, payloadLimits.resultBytes)) return tooLarge(step, utf8Length(result), payloadLimits);
  return step.valueWanted ? { state: 'Succeeded', keep: result } : { state: 'Succeeded' };
}

function tooLarge(step: TaskStep, bytes: number, { resultBytes }: RecordContext['payloadLimits']): Outcome {
  const size = `the result is ${bytes} bytes, more than the ${resultBytes} that a run keeps; `;
  const wayOut = `store it elsewhere and return a reference to it; ${wayToRaise('resultBytes')}`;
  return ended(step, 'Failed', engineFailure('ResultTooLarge', `${step.path}: ${size}${wayOut}`));
}

/** A worker says REVOKED of what had expired, too (celery/worker/request.py, 5.7.0); to its author that is a failure. */
function revoked({ step, mayTryAgain }: Attempt, failure: Failure): Outcome {
  if (!mayTryAgain) return ended(step, 'Revoked', failure);
  if (step.expires === undefined || readError(failure.exc).message !== 'expired')
    return ended(step, 'Cancelled', failure);
  return ended(step, 'Failed', engineFailure('Expired', `${step.path}: no worker began it before it expired`));
}

/** `Revoked`: as Cancelled, in a run that is cancelled as a whole, where `onFailure` has no say. */
function ended(step: TaskStep, state: 'Failed' | 'Cancelled' | 'Lost' | 'Revoked', failure: Failure): Outcome {
  const keep = encodeFailure(failure);
  if (state === 'Revoked') return { state: 'Cancelled', keep };
  return { state: step.onFailure === 'Continue' ? 'Continued' : state, keep };
}

/** Celery stores ChordError under a carried errback's id once the errback was called (celery/app/builtins.py, 5.7.0). */
function failedOrCarried(attempt: Attempt, failure: Failure, context: RecordContext): Outcome {
  const wasCalled = attempt.slot.carried && readError(failure.exc).type === 'ChordError';
  if (wasCalled) return { state: 'Succeeded' };
  return retried(attempt, failure, context) ?? ended(attempt.step, 'Failed', failure);
}

/** The next attempt of a task that may be tried again; attempts that were lost do not count. */
function retried(
  { step, slot, at, mayTryAgain }: Attempt,
  failure: Failure,
  context: RecordContext,
): Outcome | undefined {
  const { retry } = step;
  const retries = slot.attempt - slot.lost;
  if (retry === undefined || !mayTryAgain || retries >= retry.maxRetries) return undefined;
  if (!isTriedAgain(retry, failure)) return undefined;
  const chance = retry.jitter ? chanceOf(`${context.run48}/${at}/${slot.attempt}`) : 1;
  const waitMs = backoffMs({ baseMs: retry.backoffMs, capMs: retry.maxBackoffMs }, retries + 1, chance);
  const atTicks = Math.min(maxTicks, context.nowTicks + Math.ceil(waitMs / tickMs));
  return { state: 'Scheduled', attempt: slot.attempt + 1, carried: false, atTicks };
}

/** Without a list every exception of the task is; of what the engine establishes, only that it waited too long. */
function isTriedAgain({ for: names }: RetryPolicy, failure: Failure): boolean {
  const { type, module } = readError(failure.exc);
  if (names === undefined) return !isOfEngine(failure) || type === 'WaitLimitExceeded';
  return names.some((name) => name === type || name === `${module}.${type}`);
}

/** A lost attempt makes the step due again, as a new attempt with a new id, until its bound is reached. */
function lostOnce({ step, slot, mayTryAgain }: Attempt, failure: Failure): Outcome {
  if (!mayTryAgain) return ended(step, 'Revoked', failure);
  if (slot.lost >= limits.lostAttempts || runsOnce(step)) return ended(step, 'Lost', failure);
  return { state: 'Waiting', lost: slot.lost + 1, attempt: slot.attempt + 1, carried: false };
}
