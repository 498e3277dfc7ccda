import { limits } from '#core/base/limits.ts';
import type { RunView } from './call.ts';
import { engineFailure } from './failure.ts';
import type { Observation } from './observation.ts';
import { isInFlight, readSlot } from './slots.ts';

/**
 * Handlers that waited or ran longer than they may: they end as failures, so that no lost callback keeps a run from its
 * end. Most workers do not tell when they begin, so one that was not seen to run has the time of both.
 */
export function overdueHandlers({ plan, state }: RunView, nowSeconds: number): readonly Observation[] {
  return plan.steps.flatMap(({ index, kind, role, path }): Observation[] => {
    if (kind !== 'Task' || role === 'Member') return [];
    const slot = readSlot(state.slots, index);
    const boundSeconds = slot.state === 'Running' ? limits.handlerSeconds : 2 * limits.handlerSeconds;
    if (!isInFlight(slot.state) || nowSeconds - slot.atSeconds < boundSeconds) return [];
    const message = `${path}: did not end within ${boundSeconds} s; is there a worker for its queue?`;
    return [{ step: index, attempt: slot.attempt, seen: 'Failed', failure: engineFailure('HandlerTimeout', message) }];
  });
}
